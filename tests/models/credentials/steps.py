"""The steps of a sign-in in tests, and an authenticator app."""

from __future__ import annotations

import base64

import pytest

from models.credentials import second_factors, sign_in
from models.credentials import totp as totp_codes
from models.credentials.sign_in import Answer, NextStep
from models.events.commands import Actor
from models.identity import queries
from models.identity.queries import User
from models.identity.sign_in.tokens import TokenPair
from models.kernel import clock, settings
from tests.desk import Desk
from tests.functions.callers import PASSWORD
from tests.models.credentials.test_password_links import user_of

ME = "agent@example.test"
CLIENT = "192.0.2.1"


class App:
    """An authenticator app with one key."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b32decode(secret + "=" * (-len(secret) % 8))

    def code(self) -> str:
        return totp_codes.code_at(self._key, totp_codes.step_of(clock.now()))


def actor(user: User) -> Actor:
    return Actor("user", str(user.id), user.name)


def enrol(desk: Desk, email: str = ME) -> tuple[App, list[str]]:
    """Add an app; the next code of the app is a new one."""
    user = user_of(email)

    def begin() -> str:
        return second_factors.start_totp(queries.lock_user(user.id))[0]

    app = App(desk.command(begin))
    codes = desk.command(lambda: second_factors.confirm_totp(queries.lock_user(user.id), app.code(), actor=actor(user)))
    desk.advance(seconds=30)
    return app, codes


def begin(password: str = PASSWORD, email: str = ME) -> TokenPair | NextStep:
    return sign_in.begin(email, password, client=CLIENT)


def challenge(email: str = ME) -> str:
    step = begin(email=email)
    assert isinstance(step, NextStep)
    return step.challenge


def finish(token: str, *, totp: str | None = None, recovery_code: str | None = None) -> TokenPair:
    return sign_in.finish(token, Answer(totp=totp, recovery_code=recovery_code), client=CLIENT)


def require(monkeypatch: pytest.MonkeyPatch, roles: str) -> None:
    monkeypatch.setenv("SECOND_FACTOR_ROLES", roles)
    settings.current.cache_clear()
