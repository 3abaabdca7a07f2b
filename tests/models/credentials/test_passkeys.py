"""Passkeys: register, sign in after a password or alone; attacks on both."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from models.credentials import passkey_sign_in, second_factors, sign_in
from models.credentials.challenges import ChallengeEnded
from models.credentials.passkeys import PasskeyRefused
from models.credentials.sign_in import Answer, NextStep, SecondFactorFailed
from models.events.commands import SYSTEM
from models.identity import commands
from models.identity.sign_in.tokens import TokenPair, authenticate
from models.kernel import limits, settings
from models.kernel.errors import Invalid, TooManyRequests
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.credentials.authenticator import Authenticator, base64url
from tests.models.credentials.steps import CLIENT, ME, actor, begin, enrol, require
from tests.models.credentials.test_password_links import user_of

pytestmark = sqlite_only
ORIGIN = "https://desk.example.test"


@pytest.fixture(autouse=True)
def https(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk behind TLS, as Web Authentication requires."""
    monkeypatch.setenv("PUBLIC_URL", ORIGIN)
    settings.current.cache_clear()


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(ORIGIN, "desk.example.test")


def register(desk: Desk, key: Authenticator, email: str = ME, name: str = "Blue key") -> list[str] | None:
    user = user_of(email)
    token, options = desk.command(passkey_sign_in.start_registration, user.id)
    return passkey_sign_in.finish_registration(user.id, token, name, key.create(options), actor=actor(user))


def alone(key: Authenticator) -> TokenPair:
    token, options = passkey_sign_in.begin(client=CLIENT)
    return passkey_sign_in.finish(token, key.get(options), client=CLIENT)


def after_password(key: Authenticator, email: str = ME) -> TokenPair:
    step = begin(email=email)
    assert isinstance(step, NextStep)
    assert step.passkey is not None
    return sign_in.finish(step.challenge, Answer(passkey=key.get(dict(step.passkey))), client=CLIENT)


def test_a_passkey_is_a_second_factor_after_the_password(desk: Desk, key: Authenticator) -> None:
    codes = register(desk, key)

    step = begin()
    pair = after_password(key)

    assert isinstance(step, NextStep)
    assert step.factors == ["passkey", "recovery_code"]
    assert step.passkey is not None
    assert [one["id"] for one in step.passkey["allowCredentials"]] == [base64url(key.credential_id)]
    assert codes is not None
    assert len(codes) == limits.recovery_codes
    assert authenticate(pair.access_token, settings.current()).id == user_of(ME).id


def test_a_passkey_signs_in_alone_and_nobody_learns_whose_passkeys_there_are(desk: Desk, key: Authenticator) -> None:
    register(desk, key)

    token, options = passkey_sign_in.begin(client=CLIENT)
    pair = passkey_sign_in.finish(token, key.get(options), client=CLIENT)

    assert options["allowCredentials"] == []
    assert authenticate(pair.access_token, settings.current()).id == user_of(ME).id


def test_a_user_has_several_named_passkeys_and_removes_one(desk: Desk, key: Authenticator) -> None:
    second = Authenticator(ORIGIN, "desk.example.test")
    first_codes = register(desk, key)
    assert register(desk, second, name="Telephone") is None
    user = user_of(ME)
    with database.connection():
        factors = second_factors.of_user(user.id)

    desk.command(second_factors.remove, user.id, factors[0].id, actor=actor(user))

    assert first_codes is not None
    assert [factor.name for factor in factors] == ["Blue key", "Telephone"]
    with pytest.raises(SecondFactorFailed):
        alone(key)
    alone(second)


def test_a_response_is_used_once(desk: Desk, key: Authenticator) -> None:
    register(desk, key)
    token, options = passkey_sign_in.begin(client=CLIENT)
    response = key.get(options)
    passkey_sign_in.finish(token, response, client=CLIENT)

    with pytest.raises(ChallengeEnded):
        passkey_sign_in.finish(token, response, client=CLIENT)
    other, _ = passkey_sign_in.begin(client=CLIENT)
    with pytest.raises(SecondFactorFailed):
        passkey_sign_in.finish(other, response, client=CLIENT)


@pytest.mark.parametrize(
    "attack",
    [
        {"origin": "https://desk.example.test.evil.test"},
        {"origin": "http://desk.example.test"},
        {"origin": "https://desk.example.test:8443"},
        {"rp_id": "example.test"},
        {"flags": 0x01},  # the user was not verified
        {"flags": 0x04},  # nobody was present
        {"count": -1},
    ],
)
def test_a_response_for_another_site_or_without_the_user_is_refused(
    desk: Desk, key: Authenticator, attack: dict[str, Any]
) -> None:
    key.count = 5
    register(desk, key)
    for name, value in attack.items():
        setattr(key, name, value)

    with pytest.raises(SecondFactorFailed):
        alone(key)
    with pytest.raises(SecondFactorFailed):
        after_password(key)


@pytest.mark.parametrize("attack", [{"origin": "https://evil.test"}, {"rp_id": "evil.test"}, {"flags": 0x01}])
def test_a_registration_for_another_site_or_without_the_user_is_refused(
    desk: Desk, key: Authenticator, attack: dict[str, Any]
) -> None:
    for name, value in attack.items():
        setattr(key, name, value)

    with pytest.raises(PasskeyRefused):
        register(desk, key)
    assert desk.rows("SELECT * FROM second_factors") == []


def test_a_copy_of_an_authenticator_is_recognised_by_its_counter(desk: Desk, key: Authenticator) -> None:
    register(desk, key)
    thief = copy.copy(key)
    alone(key)
    alone(key)

    with pytest.raises(SecondFactorFailed):
        alone(thief)


def test_the_key_of_another_authenticator_proves_nothing(desk: Desk, key: Authenticator) -> None:
    register(desk, key)
    forger = Authenticator(ORIGIN, "desk.example.test")
    forger.credential_id = key.credential_id

    with pytest.raises(SecondFactorFailed):
        alone(forger)


def test_the_passkey_of_one_user_is_no_second_factor_of_another(desk: Desk, key: Authenticator) -> None:
    manager = Authenticator(ORIGIN, "desk.example.test")
    register(desk, key)
    register(desk, manager, "manager@example.test")

    with pytest.raises(SecondFactorFailed):
        after_password(manager)


def test_a_passkey_is_registered_once(desk: Desk, key: Authenticator) -> None:
    register(desk, key)

    with pytest.raises(PasskeyRefused):
        register(desk, key, "manager@example.test")


def test_a_challenge_belongs_to_the_user_and_the_step(desk: Desk, key: Authenticator) -> None:
    user, manager = user_of(ME), user_of("manager@example.test")
    token, options = desk.command(passkey_sign_in.start_registration, user.id)
    response = key.create(options)

    with pytest.raises(ChallengeEnded):
        passkey_sign_in.finish_registration(manager.id, token, "Mine", response, actor=actor(manager))
    with pytest.raises(ChallengeEnded):
        passkey_sign_in.finish(token, response, client=CLIENT)
    with pytest.raises(Invalid):
        passkey_sign_in.finish_registration(user.id, token, "two\nlines", response, actor=actor(user))


def test_a_deactivated_user_does_not_sign_in_by_passkey(desk: Desk, key: Authenticator) -> None:
    register(desk, key)
    commands.update_user(user_of(ME).id, {"active": False}, expected_version=None, actor=SYSTEM)

    with pytest.raises(SecondFactorFailed):
        alone(key)


def test_a_role_that_requires_a_factor_is_content_with_a_passkey(
    desk: Desk, key: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(monkeypatch, "agent")
    step = begin()
    assert isinstance(step, NextStep)

    options = sign_in.start_enrolment_passkey(step.challenge)
    key.origin = "https://evil.test"
    with pytest.raises(PasskeyRefused):
        sign_in.finish_enrolment_passkey(step.challenge, "Key", key.create(options), client=CLIENT)
    key.origin = ORIGIN
    pair, codes = sign_in.finish_enrolment_passkey(step.challenge, "Key", key.create(options), client=CLIENT)

    assert authenticate(pair.access_token, settings.current()).id == user_of(ME).id
    assert len(codes) == limits.recovery_codes
    alone(key)


def test_an_enrolment_adds_no_passkey_to_a_user_with_a_factor(
    desk: Desk, key: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(monkeypatch, "agent")
    step = begin()
    assert isinstance(step, NextStep)
    options = sign_in.start_enrolment_passkey(step.challenge)
    enrol(desk)

    with pytest.raises(ChallengeEnded):
        sign_in.finish_enrolment_passkey(step.challenge, "Key", key.create(options), client=CLIENT)


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"id": 7},
        {"id": "x", "rawId": "x", "type": "public-key", "response": {}},
        {"id": "é", "rawId": "\ud800", "type": "public-key", "response": {"clientDataJSON": "e30"}},
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": "", "signature": ""}},
        {"id": "x" * 5_000},
        {"id": ["a"], "response": []},
    ],
)
def test_what_is_no_response_is_refused(desk: Desk, key: Authenticator, response: dict[str, Any]) -> None:
    register(desk, key)
    user = user_of(ME)
    named = {**response, "id": base64url(key.credential_id)}

    for one in (response, named):
        token, _ = passkey_sign_in.begin(client=CLIENT)
        with pytest.raises(SecondFactorFailed):
            passkey_sign_in.finish(token, one, client=CLIENT)
    token, _ = desk.command(passkey_sign_in.start_registration, user.id)
    with pytest.raises(PasskeyRefused):
        passkey_sign_in.finish_registration(user.id, token, "Key", response, actor=actor(user))


def test_every_part_of_a_response_may_be_broken(desk: Desk, key: Authenticator) -> None:
    register(desk, key)

    broken_values: list[Any] = [None, 7, "", "e30", "////", "A" * 200, [], "\ud800"]

    for part in ("clientDataJSON", "authenticatorData", "signature"):
        for broken in broken_values:
            token, options = passkey_sign_in.begin(client=CLIENT)
            response = key.get(options)
            response["response"][part] = broken
            with pytest.raises(SecondFactorFailed):
                passkey_sign_in.finish(token, response, client=CLIENT)


def test_challenges_of_one_network_are_limited(desk: Desk) -> None:
    for _ in range(limits.challenges_burst):
        passkey_sign_in.begin(client=CLIENT)

    with pytest.raises(TooManyRequests):
        passkey_sign_in.begin(client=CLIENT)
    passkey_sign_in.begin(client="198.51.100.1")
