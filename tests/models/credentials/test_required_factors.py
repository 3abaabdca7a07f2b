"""A role can require a second factor; a user without one adds it during the sign-in."""

from __future__ import annotations

import pytest

from models.credentials import sign_in
from models.credentials.challenges import ChallengeEnded
from models.credentials.second_factors import WrongCode
from models.credentials.sign_in import NextStep
from models.identity.sign_in.tokens import authenticate
from models.kernel import limits
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.credentials.steps import CLIENT, ME, App, begin, challenge, enrol, require
from tests.models.credentials.test_password_links import user_of

pytestmark = sqlite_only


@pytest.mark.parametrize(("roles", "required"), [("agent", True), ("all", True), ("admin,manager", False), ("", False)])
def test_a_role_can_require_a_second_factor(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, roles: str, required: bool
) -> None:
    require(monkeypatch, roles)

    step = begin()

    assert isinstance(step, NextStep) == required
    if isinstance(step, NextStep):
        assert step.enrolment
        assert desk.rows("SELECT id FROM sessions") == []


def test_a_user_without_the_required_factor_adds_one_and_is_signed_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(monkeypatch, "agent")
    token = challenge()

    app = App(sign_in.start_enrolment_totp(token)[0])
    with pytest.raises(WrongCode):
        sign_in.finish_enrolment_totp(token, "000000", client=CLIENT)
    pair, codes = sign_in.finish_enrolment_totp(token, app.code(), client=CLIENT)

    assert authenticate(pair.access_token, desk.settings).id == user_of(ME).id
    assert len(codes) == limits.recovery_codes
    with pytest.raises(ChallengeEnded):
        sign_in.start_enrolment_totp(token)
    with pytest.raises(ChallengeEnded):
        sign_in.finish_enrolment_totp(token, app.code(), client=CLIENT)


def test_an_enrolment_does_not_replace_a_factor_that_exists(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The challenge was given before the user added the app; it must not add another one without a proof."""
    require(monkeypatch, "agent")
    token = challenge()
    enrol(desk)

    with pytest.raises(ChallengeEnded):
        sign_in.start_enrolment_totp(token)
