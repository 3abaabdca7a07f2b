"""Sign in with an authenticator app or a recovery code."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest

from models.credentials import challenges, recovery_codes, second_factors
from models.credentials.challenges import ChallengeEnded
from models.credentials.second_factors import FactorRequired, TotpExists, WrongCode
from models.credentials.sign_in import NextStep, SecondFactorFailed
from models.events.commands import SYSTEM
from models.identity import commands, queries
from models.identity.sign_in.tokens import TokenPair, authenticate
from models.kernel import limits
from models.kernel.errors import NotFound, TooManyRequests
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.credentials.steps import ME, App, actor, begin, challenge, enrol, finish, require
from tests.models.credentials.test_password_links import NEW, user_of

pytestmark = sqlite_only


def test_without_a_second_factor_the_password_opens_a_session(desk: Desk) -> None:
    assert isinstance(begin(), TokenPair)


def test_the_password_alone_opens_no_session_of_a_user_with_an_app(desk: Desk) -> None:
    app, _ = enrol(desk)

    step = begin()

    assert isinstance(step, NextStep)
    assert (step.factors, step.enrolment) == (["totp", "recovery_code"], False)
    assert step.challenge not in repr(step)
    assert desk.rows("SELECT id FROM sessions") == []
    pair = finish(step.challenge, totp=app.code())
    assert authenticate(pair.access_token, desk.settings).id == user_of(ME).id


def test_a_challenge_is_used_once(desk: Desk) -> None:
    app, codes = enrol(desk)
    token = challenge()
    finish(token, totp=app.code())

    with pytest.raises(ChallengeEnded):
        finish(token, recovery_code=codes[0])


def test_a_code_is_used_once_even_with_another_challenge(desk: Desk) -> None:
    app, _ = enrol(desk)
    code = app.code()
    finish(challenge(), totp=code)

    with pytest.raises(SecondFactorFailed):
        finish(challenge(), totp=code)

    desk.advance(seconds=30)
    finish(challenge(), totp=app.code())


def test_the_code_that_enrolled_the_app_signs_nobody_in(desk: Desk) -> None:
    app, _ = enrol(desk)
    desk.advance(seconds=-30)

    with pytest.raises(SecondFactorFailed):
        finish(challenge(), totp=app.code())


def test_two_requests_with_one_code_open_one_session(desk: Desk) -> None:
    app, _ = enrol(desk)
    code, tokens = app.code(), [challenge(), challenge()]

    def attempt(token: str) -> str:
        try:
            finish(token, totp=code)
        except SecondFactorFailed:
            return "refused"
        return "signed in"

    results = desk.in_threads(lambda: attempt(tokens[0]), lambda: attempt(tokens[1]))

    assert sorted(results) == ["refused", "signed in"]


@pytest.mark.parametrize("answer", [{"totp": "000000"}, {"recovery_code": "0000-0000-0000-0000"}, {"totp": ""}, {}])
def test_a_wrong_answer_is_refused_and_recorded(desk: Desk, answer: dict[str, str]) -> None:
    enrol(desk)

    with pytest.raises(SecondFactorFailed):
        finish(challenge(), **answer)

    events = desk.rows("SELECT event_type FROM events WHERE aggregate = 'user' ORDER BY event_id")
    assert events[-1]["event_type"] == "sign_in_failed"


def test_a_challenge_accepts_five_wrong_codes_and_a_user_few_more(desk: Desk) -> None:
    app, _ = enrol(desk)
    token = challenge()
    for _ in range(limits.challenge_tries):
        with pytest.raises(SecondFactorFailed):
            finish(token, totp="000000")

    with pytest.raises(ChallengeEnded):
        finish(token, totp=app.code())
    with pytest.raises(TooManyRequests):
        finish(challenge(), totp=app.code())
    desk.advance(seconds=limits.second_factor_failure_every_s + 1)
    finish(challenge(), totp=app.code())


def test_a_stranger_without_the_password_cannot_use_up_the_tries(desk: Desk) -> None:
    app, _ = enrol(desk)
    for _ in range(limits.challenge_tries + 1):
        with pytest.raises(ChallengeEnded):
            finish("nsc_wrong", totp="000000")

    finish(challenge(), totp=app.code())


def test_a_challenge_expires_and_ends_with_the_password(desk: Desk) -> None:
    app, codes = enrol(desk)
    late, changed = challenge(), None
    desk.advance(seconds=limits.challenge_s + 1)
    with pytest.raises(ChallengeEnded):
        finish(late, totp=app.code())

    changed = challenge()
    commands.update_user(user_of(ME).id, {"password": NEW}, expected_version=None, actor=SYSTEM)
    with pytest.raises(ChallengeEnded):
        finish(changed, recovery_code=codes[0])


def test_a_deactivated_user_finishes_no_sign_in(desk: Desk) -> None:
    app, _ = enrol(desk)
    token = challenge()
    commands.update_user(user_of(ME).id, {"active": False}, expected_version=None, actor=SYSTEM)

    with pytest.raises(SecondFactorFailed):
        finish(token, totp=app.code())


def test_a_challenge_of_another_step_opens_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    require(monkeypatch, "agent")
    enrolment = challenge()

    with pytest.raises(ChallengeEnded):
        finish(enrolment, totp="000000")
    with pytest.raises(ChallengeEnded):
        desk.command(challenges.lock, enrolment, "passkey")


def test_each_recovery_code_works_once_and_the_user_is_told(desk: Desk) -> None:
    _, codes = enrol(desk)

    finish(challenge(), recovery_code=codes[0].upper().replace("-", " "))
    with pytest.raises(SecondFactorFailed):
        finish(challenge(), recovery_code=codes[0])
    desk.run_due()

    assert len(codes) == len(set(codes)) == limits.recovery_codes
    with database.connection():
        assert recovery_codes.left(user_of(ME).id) == limits.recovery_codes - 1
    assert "9 are left" in desk.sent[-1].body


def test_a_recovery_code_is_too_long_to_be_found_by_its_hash(desk: Desk) -> None:
    _, codes = enrol(desk)

    # 5 bits a character; a fast hash needs 112 (OWASP ASVS 5.0.0, requirement 6.5.2).
    assert all(5 * len(code.replace("-", "")) >= 112 for code in codes)


def test_new_recovery_codes_end_the_earlier_ones(desk: Desk) -> None:
    _, codes = enrol(desk)
    user = user_of(ME)

    def replace() -> list[str]:
        queries.lock_user(user.id)
        return recovery_codes.replace_all(user.id, actor=actor(user))

    new = desk.command(replace)

    with pytest.raises(SecondFactorFailed):
        finish(challenge(), recovery_code=codes[0])
    finish(challenge(), recovery_code=new[0])


def test_recovery_codes_of_another_user_open_nothing(desk: Desk) -> None:
    _, codes = enrol(desk, "manager@example.test")
    enrol(desk)

    with pytest.raises(SecondFactorFailed):
        finish(challenge(), recovery_code=codes[0])


def test_neither_keys_nor_codes_are_stored_in_plain_text(desk: Desk) -> None:
    user = user_of(ME)
    secret = desk.command(lambda: second_factors.start_totp(queries.lock_user(user.id)))[0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    codes = desk.command(
        lambda: second_factors.confirm_totp(queries.lock_user(user.id), App(secret).code(), actor=actor(user))
    )

    stored = str(desk.rows("SELECT * FROM second_factors") + desk.rows("SELECT * FROM recovery_codes"))
    assert secret not in stored
    assert base64.urlsafe_b64encode(key).decode().rstrip("=") not in stored
    assert key.hex() not in stored
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]
    assert "sealed:" in stored


def test_an_app_counts_after_its_first_code(desk: Desk) -> None:
    user = user_of(ME)
    secret = desk.command(lambda: second_factors.start_totp(queries.lock_user(user.id)))[0]

    assert isinstance(begin(), TokenPair)
    with pytest.raises(WrongCode):
        desk.command(lambda: second_factors.confirm_totp(queries.lock_user(user.id), "000000", actor=actor(user)))
    again = desk.command(lambda: second_factors.start_totp(queries.lock_user(user.id)))[0]
    assert again != secret
    code = App(secret).code()
    with pytest.raises(WrongCode):
        desk.command(lambda: second_factors.confirm_totp(queries.lock_user(user.id), code, actor=actor(user)))


def test_a_user_has_one_app(desk: Desk) -> None:
    enrol(desk)

    with pytest.raises(TotpExists):
        desk.command(lambda: second_factors.start_totp(queries.lock_user(user_of(ME).id)))


def remove(desk: Desk, factor_id: UUID | None = None) -> None:
    user = user_of(ME)
    with database.connection():
        factor = second_factors.of_user(user.id)[0]
    desk.command(second_factors.remove, user.id, factor_id or factor.id, actor=actor(user))


def test_a_removed_app_is_asked_for_no_more_and_the_user_is_told(desk: Desk) -> None:
    enrol(desk)

    remove(desk)
    desk.run_due()

    assert isinstance(begin(), TokenPair)
    assert [sent.message.subject for sent in desk.sent] == [
        "A second factor was added at Nestor demo desk",
        "A second factor was removed at Nestor demo desk",
    ]
    assert desk.rows("SELECT * FROM recovery_codes") == []


def test_the_last_factor_of_a_role_that_requires_one_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(desk)
    require(monkeypatch, "admin, agent")

    with pytest.raises(FactorRequired):
        remove(desk)
    with pytest.raises(NotFound):
        remove(desk, UUID(int=1))


def test_the_factors_of_another_user_are_not_removed(desk: Desk) -> None:
    enrol(desk, "manager@example.test")
    enrol(desk)
    with database.connection():
        foreign = second_factors.of_user(user_of("manager@example.test").id)[0]

    with pytest.raises(NotFound):
        remove(desk, foreign.id)


def test_a_password_reset_leaves_the_second_factor(desk: Desk) -> None:
    app, _ = enrol(desk)
    commands.update_user(user_of(ME).id, {"password": NEW}, expected_version=None, actor=SYSTEM)

    step = begin(NEW)

    assert isinstance(step, NextStep)
    finish(step.challenge, totp=app.code())
