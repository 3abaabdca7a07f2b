"""Sessions: list them, end them, their end by inactivity, and the proof before sensitive operations."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from models.kernel import limits, settings
from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller, problem, sqlite_only
from tests.functions.conftest import sign_in

ADMIN = "admin@example.test"


def test_a_user_lists_sessions_and_ends_one_or_all_others(gateway: Any, desk: Desk) -> None:
    first, _ = sign_in(gateway, ADMIN)
    second, _ = sign_in(gateway, ADMIN)
    third, _ = sign_in(gateway, ADMIN)
    listed = third.read("/v1/me/sessions")["items"]

    ended = third.ask("DELETE", f"/v1/me/sessions/{listed[2]['id']}")

    assert [one["current"] for one in listed] == [True, False, False]
    assert all(one["client"] == "127.0.0.1" and one["last_used_at"] for one in listed)
    assert ended.status_code == 204
    problem(first.get("/v1/me"), 401, "session_ended")
    assert third.ask("DELETE", "/v1/me/sessions").json == {"sessions_ended": 1}
    problem(second.get("/v1/me"), 401, "session_ended")
    assert len(third.read("/v1/me/sessions")["items"]) == 1


@sqlite_only
def test_nobody_ends_the_session_of_another_user(gateway: Any) -> None:
    admin, _ = sign_in(gateway, ADMIN)
    agent, _ = sign_in(gateway, "agent@example.test")
    session = admin.read("/v1/me/sessions")["items"][0]["id"]

    problem(agent.ask("DELETE", f"/v1/me/sessions/{session}"), 404)

    assert admin.get("/v1/me").status_code == 200


@sqlite_only
def test_an_admin_ends_the_sessions_of_a_user(gateway: Any, machine: Caller) -> None:
    agent, _ = sign_in(gateway, "agent@example.test")
    user_id = agent.read("/v1/me")["id"]

    assert len(machine.read(f"/v1/users/{user_id}/sessions")["items"]) == 1
    assert machine.ask("DELETE", f"/v1/users/{user_id}/sessions").json == {"sessions_ended": 1}

    problem(agent.get("/v1/me"), 401, "session_ended")
    problem(machine.get("/v1/me/sessions"), 409)


def test_a_session_ends_when_nobody_uses_it(gateway: Any, desk: Desk) -> None:
    _, tokens = sign_in(gateway, ADMIN)
    _, idle_tokens = sign_in(gateway, ADMIN)
    hours = settings.current().session_idle_hours
    refresh = "/v1/auth/tokens/refresh"

    desk.advance(hours=hours / 2)
    used_pair = Caller(gateway).made(refresh, {"refresh_token": tokens["refresh_token"]})
    desk.advance(hours=hours / 2 + 1)

    problem(Caller(gateway).post(refresh, {"refresh_token": idle_tokens["refresh_token"]}), 401, "session_ended")
    assert Caller(gateway).made(refresh, {"refresh_token": used_pair["refresh_token"]})


SENSITIVE = [
    ("POST", "/v1/api_keys", {"name": "robot"}),
    ("POST", "/v1/roles", {"name": "reader", "permissions": []}),
    ("DELETE", "/v1/roles/reader", None),
    ("GET", "/v1/requesters/{id}/export", None),
    ("POST", "/v1/requesters/{id}/erasure", None),
    ("GET", "/v1/audit.csv", None),
]


@pytest.mark.parametrize(("method", "path", "body"), SENSITIVE)
@sqlite_only
def test_sensitive_operations_need_a_recent_proof_of_the_password(
    gateway: Any, desk: Desk, method: str, path: str, body: Any
) -> None:
    path = path.replace("{id}", "00000000-0000-7000-8000-000000000000")
    _, tokens = sign_in(gateway, ADMIN)
    desk.advance(seconds=limits.reauthentication_s + 1)
    pair = Caller(gateway).made("/v1/auth/tokens/refresh", {"refresh_token": tokens["refresh_token"]})
    admin = Caller(gateway, pair["access_token"])

    refused = admin.ask(method, path, body)
    wrong = admin.post("/v1/auth/reauthentication", {"password": "secret-wrong"})
    still = admin.ask(method, path, body)
    proved = admin.post("/v1/auth/reauthentication", {"password": PASSWORD})
    allowed = admin.ask(method, path, body)

    problem(refused, 401, "reauthentication_required")
    assert 'error="insufficient_user_authentication", max_age=900' in refused.headers["www-authenticate"]
    problem(wrong, 403, "wrong_password")
    problem(still, 401, "reauthentication_required")
    assert proved.status_code == 204
    assert allowed.status_code not in (401, 403)


@sqlite_only
def test_a_new_address_ends_the_sessions(gateway: Any, machine: Caller) -> None:
    agent, _ = sign_in(gateway, "agent@example.test")
    user_id = agent.read("/v1/me")["id"]

    machine.ask("PATCH", f"/v1/users/{user_id}", {"email": "olga@example.test"}, headers={"If-Match": "*"})

    problem(agent.get("/v1/me"), 401, "session_ended")


def test_a_sign_in_on_a_new_device_is_reported_and_one_on_a_known_device_is_not(
    gateway: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        "models.identity.sign_in.sessions.desk_mail.notify", lambda kind, user, facts: told.append(kind)
    )

    _, tokens = sign_in(gateway, ADMIN)
    first = list(told)
    body = {"email": ADMIN, "password": PASSWORD}
    Caller(gateway).made("/v1/auth/tokens", body, headers={"Nestor-Device": tokens["device_token"]})
    known = list(told)
    Caller(gateway).made("/v1/auth/tokens", body)

    assert (first, known, told) == ([], [], ["new_device"])


@sqlite_only
def test_another_service_verifies_an_access_token_by_the_published_keys(gateway: Any, stranger: Caller) -> None:
    signed_in, token = sign_in(gateway, ADMIN)

    answer = stranger.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == f"public, max-age={limits.key_set_cache_s}"
    key = jwt.PyJWKSet.from_dict(answer.json)[jwt.get_unverified_header(token["access_token"])["kid"]]
    claims = jwt.decode(token["access_token"], key, ["EdDSA"], audience=settings.current().public_url, issuer="nestor")
    assert claims["sub"] == signed_in.read("/v1/me")["id"]
