"""Which user an OpenID provider's account is, and which role it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.events.commands import SYSTEM
from models.identity import commands
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.openid_provider import LyingProvider, configure, finish, lying_provider
from tests.models.credentials.test_password_links import user_of

pytestmark = sqlite_only


@pytest.fixture
def provider(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingProvider]:
    with lying_provider() as found:
        configure(monkeypatch, found.issuer)
        yield found


def test_a_user_is_linked_by_address_only_if_configured(
    stranger: Caller, provider: LyingProvider, monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    configure(monkeypatch, provider.issuer, OIDC_LINK_BY_EMAIL="false", OIDC_CREATE_USERS="true", OIDC_ROLES="x=agent")
    provider.claims["groups"] = "x"

    problem(finish(stranger, provider), 401, "oidc_refused")
    assert desk.rows("SELECT * FROM oidc_links") == []


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_links_nobody(stranger: Caller, provider: LyingProvider, verified: Any) -> None:
    provider.claims["email_verified"] = verified

    problem(finish(stranger, provider), 401, "oidc_refused")


def test_a_linked_user_is_recognised_by_the_subject_and_not_by_the_address(
    gateway: Any, stranger: Caller, provider: LyingProvider
) -> None:
    finish(stranger, provider)
    provider.claims |= {"email": "admin@example.test"}
    same_subject = finish(stranger, provider)
    provider.claims |= {"sub": "s-2", "email": "agent@example.test"}
    other_subject = finish(stranger, provider)

    assert Caller(gateway, same_subject.json["access_token"]).read("/v1/me")["name"] == "Olga Agent"
    problem(other_subject, 401, "oidc_refused")


def test_a_deactivated_user_does_not_sign_in(stranger: Caller, provider: LyingProvider) -> None:
    finish(stranger, provider)
    commands.update_user(user_of("agent@example.test").id, {"active": False}, expected_version=None, actor=SYSTEM)

    problem(finish(stranger, provider), 401, "oidc_refused")


def test_roles_follow_the_claims_at_each_sign_in_and_the_last_admin_stays(
    gateway: Any, stranger: Caller, provider: LyingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = {"OIDC_ROLES_CLAIM": "realm.roles", "OIDC_ROLES": "boss=admin,clerk=agent"}
    configure(monkeypatch, provider.issuer, **roles)
    provider.claims |= {"email": "admin@example.test", "realm": {"roles": ["clerk"]}}
    last_admin = finish(stranger, provider)
    provider.claims |= {"sub": "s-2", "email": "agent@example.test", "realm": {"roles": ["clerk", "boss"]}}
    promoted = finish(stranger, provider)
    provider.claims["realm"] = {"roles": []}
    without = finish(stranger, provider)

    assert Caller(gateway, last_admin.json["access_token"]).read("/v1/me")["role"] == "admin"
    assert Caller(gateway, promoted.json["access_token"]).read("/v1/me")["role"] == "admin"
    problem(without, 401, "oidc_refused")
