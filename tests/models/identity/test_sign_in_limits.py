"""The throttle of sign-ins: it stops guessing, and nobody can turn it against others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.audit import callers
from models.identity.commands import SignInFailed
from models.identity.sign_in import devices, sign_in_limits
from models.identity.sign_in.tokens import TokenPair
from models.kernel import limits, settings
from models.kernel.errors import TooManyRequests
from models.kernel.ids import new_id
from models.kernel.storage import database
from tests.models.identity.conftest import PASSWORD, SECRET_KEY, MovableClock, People

OFFICE, HOME, ATTACKER = "192.0.2.1", "198.51.100.7", "203.0.113.9"
ADA = "ada@example.test"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays of attempts, which no test waits for."""
    waits: list[float] = []
    monkeypatch.setattr("models.identity.sign_in.sign_in_limits.time.sleep", waits.append)
    return waits


@pytest.fixture(autouse=True)
def keyed_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process has the key that signs the tokens of devices."""
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network's limit that a test reaches quickly, and that does not refill during the test."""
    monkeypatch.setattr(limits, "network_sign_in_failures_burst", 15)
    monkeypatch.setattr(limits, "network_sign_in_failure_every_s", 300.0)


def fail(people: People, email: str = ADA, client: str = ATTACKER, times: int = 1, device: str | None = None) -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed):
            sign_in(people, email, "a wrong password", client, device)


def sign_in(
    people: People, email: str = ADA, password: str = PASSWORD, client: str = HOME, device: str | None = None
) -> TokenPair:
    with callers.calling(client, "test", device=device):
        return people.sign_in(email, password, client)


def rows() -> int:
    row = database.one("SELECT (SELECT count(*) FROM rate_buckets) + (SELECT count(*) FROM events) AS n")
    assert row is not None
    return int(row["n"])


def test_a_stranger_who_guesses_keeps_nobody_out(people: People) -> None:
    """Ten wrong passwords from anywhere kept any user out before."""
    people.user()

    fail(people, times=limits.sign_in_failures_burst)
    for n in range(20):
        fail(people, client=f"203.0.113.{n}", times=2 if n != 9 else 0)

    with pytest.raises(TooManyRequests):
        sign_in(people, client=ATTACKER)
    assert sign_in(people).access_token


def test_a_colleague_who_mistypes_does_not_keep_out_the_office(people: People) -> None:
    """All people behind one address had ten wrong passwords together before."""
    people.user()
    people.user("bob@example.test")

    fail(people, "bob@example.test", OFFICE, times=limits.sign_in_failures_burst)

    with pytest.raises(TooManyRequests):
        sign_in(people, "bob@example.test", client=OFFICE)
    assert sign_in(people, client=OFFICE).access_token


def test_guesses_of_one_network_over_many_addresses_end(people: People, moving_clock: MovableClock) -> None:
    people.user()
    for n in range(limits.network_sign_in_failures_burst):
        fail(people, f"guess{n}@example.test")

    with pytest.raises(TooManyRequests) as refused:
        sign_in(people, client=ATTACKER)

    assert 0 < refused.value.retry_after_s <= limits.network_sign_in_failure_every_s
    assert sign_in(people).access_token
    moving_clock.advance(seconds=refused.value.retry_after_s + 0.01)
    assert sign_in(people, client=ATTACKER).access_token


def test_an_ipv6_client_counts_by_its_network(people: People) -> None:
    people.user()
    for n in range(limits.sign_in_failures_burst):
        fail(people, client=f"2001:db8::{n}")

    with pytest.raises(TooManyRequests):
        sign_in(people, client="2001:db8::ffff")

    assert sign_in(people, client="2001:db8:0:1::1").access_token


def test_a_known_device_has_a_counter_of_its_own(people: People) -> None:
    people.user()
    device = sign_in(people, client=OFFICE).device_token
    for n in range(limits.network_sign_in_failures_burst):
        fail(people, ADA if n < limits.sign_in_failures_burst else f"guess{n}@example.test", OFFICE)

    with pytest.raises(TooManyRequests):
        sign_in(people, client=OFFICE)
    assert sign_in(people, client=OFFICE, device=device).access_token

    fail(people, client=OFFICE, times=limits.sign_in_failures_burst, device=device)
    with pytest.raises(TooManyRequests):
        sign_in(people, client=OFFICE, device=device)


def test_the_device_of_one_user_is_unknown_for_another(people: People) -> None:
    people.user()
    people.user("bob@example.test")
    device = sign_in(people, "bob@example.test", client=ATTACKER).device_token

    fail(people, times=limits.sign_in_failures_burst, device=device)

    with pytest.raises(TooManyRequests):
        fail(people, device=device)


@pytest.mark.parametrize("token", ["", "nsd_", "nsd_AAAA", "nsd_" + "A" * 76, "nsr_x", "ж", "x" * 9000])
def test_a_forged_device_is_unknown(people: People, token: str) -> None:
    with callers.calling(HOME, device=token):
        assert devices.presented(people.settings) is None


def test_a_device_that_was_not_used_for_half_a_year_is_unknown(people: People, moving_clock: MovableClock) -> None:
    user_id = new_id()
    device_id, token = devices.issue(user_id, people.settings)
    with callers.calling(HOME, device=token):
        before = devices.presented(people.settings)
        again = devices.issue(user_id, people.settings)[0]
        moving_clock.advance(seconds=limits.device_known_s + 1)
        after = devices.presented(people.settings)

    assert before is not None
    assert (before.id, before.user_id, again) == (device_id, user_id, device_id)
    assert after is None


def test_refused_attempts_write_nothing(people: People) -> None:
    """1,500 refused sign-ins wrote 1,501 rows before."""
    people.user()
    for n in range(limits.network_sign_in_failures_burst):
        fail(people, f"guess{n}@example.test")
    before = rows()

    for n in range(200):
        with pytest.raises(TooManyRequests):
            sign_in(people, f"other{n}@example.test", "a wrong password", ATTACKER)

    assert rows() == before


def test_guesses_from_many_networks_only_slow_unknown_devices(people: People, no_waits: list[float]) -> None:
    people.user()
    device = sign_in(people).device_token
    for n in range(limits.sign_in_failures_burst):
        fail(people, client=f"203.0.113.{n}")
    assert no_waits == []

    assert sign_in(people, device=device).access_token
    assert no_waits == []
    assert sign_in(people).access_token
    assert len(no_waits) == 1
    assert 0 < no_waits[0] <= limits.slow_sign_in_s


def test_an_operator_resets_the_counters_of_a_person(people: People) -> None:
    user = people.user()
    fail(people, client=HOME, times=limits.sign_in_failures_burst)
    fail(people, "bob@example.test", OFFICE, times=limits.sign_in_failures_burst)
    with pytest.raises(TooManyRequests):
        sign_in(people)

    with database.transaction():
        forgotten = sign_in_limits.forget(user.id, user.email)

    assert forgotten == 2
    assert sign_in(people).access_token
    with pytest.raises(TooManyRequests):
        sign_in(people, "bob@example.test", client=OFFICE)
