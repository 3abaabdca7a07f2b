"""Sign in, refresh, sign out."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from models.events.commands import SYSTEM
from models.identity import commands, passwords
from models.identity.commands import SignInFailed
from models.identity.sign_in.tokens import SessionEnded, authenticate
from models.kernel import limits
from models.kernel.errors import NestorError, TooManyRequests, Unauthenticated
from models.kernel.storage import database
from tests.models.identity.conftest import MovableClock, People


def fail(people: People, email: str = "ada@example.test", client: str = "192.0.2.1", times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed):
            people.sign_in(email, "a wrong password", client=client)


def test_signing_in_gives_a_pair_that_names_the_user(people: People) -> None:
    user = people.user(role="manager")

    pair = people.sign_in("ADA@example.test ")

    assert (pair.token_type, pair.expires_in_s) == ("Bearer", 900)
    principal = authenticate(pair.access_token, people.settings)
    assert (principal.kind, principal.id, principal.role) == ("user", user.id, "manager")
    event = people.history("user", user.id)[-1]
    assert event["event_type"] == "signed_in"
    assert event["payload"] == {"session_id": str(principal.session_id), "client": "192.0.2.1"}


def test_a_pair_does_not_show_its_tokens_when_printed(people: People) -> None:
    people.user()

    pair = people.sign_in()

    assert pair.access_token not in repr(pair)
    assert pair.refresh_token not in repr(pair)


def test_only_hashes_of_refresh_tokens_are_kept(people: People) -> None:
    people.user()

    pair = people.sign_in()

    row = database.one("SELECT refresh_hash FROM sessions")
    assert row is not None
    assert len(row["refresh_hash"]) == 64
    assert row["refresh_hash"] not in pair.refresh_token


def test_wrong_password_unknown_address_and_deactivated_user_look_the_same(people: People) -> None:
    people.user()
    gone = people.user("gone@example.test")
    commands.update_user(gone.id, {"active": False}, expected_version=1, actor=SYSTEM)
    answers = set()

    for email, password in (
        ("ada@example.test", "a wrong password"),
        ("nobody@example.test", "a parrot named Kea"),
        ("gone@example.test", "a parrot named Kea"),
        ("no address at all\x00", "a parrot named Kea"),
        ("ada@example.test", "x" * 1000),
    ):
        with pytest.raises(SignInFailed) as caught:
            people.sign_in(email, password)
        answers.add((caught.value.code, caught.value.message))

    assert len(answers) == 1


def test_an_unknown_address_costs_one_hash_like_a_known_one(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    people.user()
    seen: list[str | None] = []
    real = passwords.matches

    def look(password: str, kept: str | None) -> bool:
        seen.append(kept)
        return real(password, kept)

    monkeypatch.setattr(passwords, "matches", look)

    fail(people, "nobody@example.test")
    fail(people, "ada@example.test")

    assert [kept is None for kept in seen] == [True, False]


def test_a_failure_is_told_for_a_known_user_although_the_request_fails(people: People) -> None:
    user = people.user()

    fail(people)
    fail(people, "nobody@example.test")

    assert people.event_types(user) == ["user_created", "sign_in_failed"]
    row = database.one("SELECT count(*) AS events FROM events")
    assert row == {"events": 2}


def test_successes_use_no_slots(people: People) -> None:
    people.user()

    for _ in range(limits.sign_in_failures_burst + 2):
        people.sign_in()

    fail(people, times=limits.sign_in_failures_burst)
    with pytest.raises(TooManyRequests):
        people.sign_in()


def test_parallel_guesses_are_not_looked_at_more_often_than_the_limit_allows(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.user()
    looked: list[int] = []

    def matches_nothing(password: str, kept: str | None) -> bool:
        looked.append(1)
        return False

    monkeypatch.setattr(passwords, "matches", matches_nothing)
    guesses = limits.sign_in_failures_burst * 2
    barrier = threading.Barrier(guesses, timeout=10)

    def guess(_: int) -> str:
        barrier.wait()
        try:
            people.sign_in(password="a wrong password")
        except NestorError as error:
            return error.code
        finally:
            database.proxy.obj.close()
        return "signed in"

    with ThreadPoolExecutor(guesses) as pool:
        codes = list(pool.map(guess, range(guesses)))

    assert len(looked) == limits.sign_in_failures_burst
    assert codes.count("too_many_requests") == guesses - limits.sign_in_failures_burst


def test_counters_hold_no_address(people: People) -> None:
    fail(people)

    names = [row["bucket"] for row in database.run("SELECT bucket FROM rate_buckets")]

    assert len(names) == 3  # the address with the network, the network, the account
    assert not any("ada" in name or "192" in name for name in names)


def test_a_sign_in_renews_a_hash_of_weaker_parameters(people: People) -> None:
    user = people.user()
    weaker = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a parrot named Kea")
    database.execute("UPDATE users SET password_hash = :hash", hash=weaker)

    people.sign_in()

    row = database.one("SELECT password_hash, version FROM users WHERE id = :id", id=user.id)
    assert row is not None
    assert row["version"] == 1
    assert not passwords.is_outdated(row["password_hash"])
    people.sign_in()


def test_a_sign_in_does_not_slip_past_a_password_change_made_meanwhile(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = people.user()
    real = passwords.matches

    def change_after_looking(password: str, kept: str | None) -> bool:
        found = real(password, kept)
        commands.update_user(user.id, {"password": "another long one"}, expected_version=1, actor=SYSTEM)
        return found

    monkeypatch.setattr(passwords, "matches", change_after_looking)

    with pytest.raises(SignInFailed):
        people.sign_in()

    assert database.run("SELECT id FROM sessions") == []


def test_sign_in_refuses_to_run_inside_a_transaction_that_could_undo_its_record(people: People) -> None:
    with database.transaction(), pytest.raises(AssertionError, match="recorded although"):
        people.sign_in()


def test_refreshing_exchanges_the_pair_and_keeps_the_session(people: People, moving_clock: MovableClock) -> None:
    people.user()
    first = people.sign_in()
    session_id = authenticate(first.access_token, people.settings).session_id
    moving_clock.advance(minutes=20)

    second = people.refresh(first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert authenticate(second.access_token, people.settings).session_id == session_id


def test_two_tabs_that_refresh_at_once_both_go_on_for_hours(people: People, moving_clock: MovableClock) -> None:
    people.user()
    start = people.sign_in()

    one = people.refresh(start.refresh_token)
    moving_clock.advance(seconds=5)
    other = people.refresh(start.refresh_token)

    for _ in range(3):
        moving_clock.advance(minutes=16)
        one = people.refresh(one.refresh_token)
        moving_clock.advance(seconds=2)
        other = people.refresh(other.refresh_token)
        authenticate(one.access_token, people.settings)
        authenticate(other.access_token, people.settings)


@pytest.mark.parametrize("exchanges", [1, 2, 5])
def test_a_used_refresh_token_that_comes_back_later_ends_the_session(
    people: People, moving_clock: MovableClock, exchanges: int
) -> None:
    user = people.user()
    stolen = people.sign_in().refresh_token
    pair = people.refresh(stolen)
    for _ in range(exchanges - 1):
        moving_clock.advance(minutes=10)
        pair = people.refresh(pair.refresh_token)
    moving_clock.advance(seconds=limits.refresh_repeat_s + 1)

    with pytest.raises(SessionEnded, match="used before"):
        people.refresh(stolen)

    with pytest.raises(SessionEnded):
        people.refresh(pair.refresh_token)
    with pytest.raises(SessionEnded):
        authenticate(pair.access_token, people.settings)
    event = people.history("user", user.id)[-1]
    assert (event["event_type"], event["payload"]["reason"]) == ("signed_out", "refresh_token_reused")


def test_a_forged_refresh_token_ends_nobodys_session(people: People) -> None:
    people.user()
    pair = people.sign_in()
    forged = pair.refresh_token[:40] + ("A" * 50)

    with pytest.raises(Unauthenticated, match="not a refresh token"):
        people.refresh(forged)
    with pytest.raises(Unauthenticated, match="not a refresh token"):
        people.refresh("nonsense")

    authenticate(pair.access_token, people.settings)


def test_refreshing_does_not_prolong_the_session(people: People, moving_clock: MovableClock) -> None:
    people.settings = dataclasses.replace(people.settings, session_idle_hours=8760.0)
    people.user()
    pair = people.sign_in()
    moving_clock.advance(seconds=limits.refresh_token_s - 60)
    pair = people.refresh(pair.refresh_token)

    moving_clock.advance(seconds=61)

    with pytest.raises(SessionEnded):
        authenticate(pair.access_token, people.settings)
    with pytest.raises(SessionEnded):
        people.refresh(pair.refresh_token)


def test_signing_out_ends_this_session_only_and_once(people: People) -> None:
    user = people.user()
    here, there = people.sign_in(), people.sign_in()
    session_id = authenticate(here.access_token, people.settings).session_id
    assert session_id is not None

    commands.sign_out(session_id)
    commands.sign_out(session_id)

    with pytest.raises(SessionEnded):
        authenticate(here.access_token, people.settings)
    with pytest.raises(SessionEnded):
        people.refresh(here.refresh_token)
    authenticate(there.access_token, people.settings)
    assert people.event_types(user) == ["user_created", "signed_in", "signed_in", "signed_out"]


def test_events_of_a_user_are_numbered_without_gaps_when_many_sessions_end_at_once(people: People) -> None:
    user = people.user()
    sessions = [authenticate(people.sign_in().access_token, people.settings).session_id for _ in range(6)]
    barrier = threading.Barrier(len(sessions), timeout=10)

    def sign_out(session_id: UUID | None) -> None:
        assert session_id is not None
        with database.connection():
            barrier.wait()  # connected already, else the connecting spreads them out
            commands.sign_out(session_id)
        database.proxy.obj.close()

    with ThreadPoolExecutor(len(sessions)) as pool:
        list(pool.map(sign_out, sessions))

    told = people.history("user", user.id)
    assert [event["sequence"] for event in told] == list(range(1, 14))
    assert [event["event_type"] for event in told[-6:]] == ["signed_out"] * 6
