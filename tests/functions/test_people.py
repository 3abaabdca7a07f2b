"""Sign in, stay signed in, sign out; users and API keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from models.kernel import clock, limits
from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller, paths, problem, sqlite_only
from tests.functions.conftest import sign_in

NEW = {"email": "new@example.test", "name": "Nina New", "password": "secret-parrot-word", "role": "agent"}


def test_a_person_signs_in_works_and_signs_out(gateway: Any) -> None:
    agent, tokens = sign_in(gateway, "Agent@Example.test ")

    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in_s"] == limits.access_token_s
    assert agent.read("/v1/me")["name"] == "Olga Agent"
    assert agent.ask("DELETE", "/v1/auth/tokens/current").status_code == 204
    problem(agent.get("/v1/me"), 401, "session_ended")
    refreshed = Caller(gateway).post("/v1/auth/tokens/refresh", {"refresh_token": tokens["refresh_token"]})
    problem(refreshed, 401)


def test_tokens_are_never_cached(gateway: Any, stranger: Caller) -> None:
    result = stranger.post("/v1/auth/tokens", {"email": "agent@example.test", "password": PASSWORD})

    assert result.status_code == 201
    assert result.headers["cache-control"] == "no-store"


def test_a_refresh_token_is_exchanged_once_and_a_stolen_one_ends_the_session(
    gateway: Any, stranger: Caller, desk: Desk
) -> None:
    _, tokens = sign_in(gateway, "agent@example.test")
    path, old = "/v1/auth/tokens/refresh", {"refresh_token": tokens["refresh_token"]}

    exchanged = stranger.post(path, old)
    desk.advance(seconds=limits.refresh_repeat_s + 1)
    stolen = stranger.post(path, old)

    assert exchanged.status_code == 201
    assert Caller(gateway, exchanged.json["access_token"]).get("/v1/me").status_code == 401
    problem(stolen, 401, "session_ended")
    for token in ("secret-nonsense", "", "x" * 501):
        refused = stranger.post(path, {"refresh_token": token})
        problem(refused, 422 if len(token) > 500 else 401)


def test_an_access_token_runs_out(gateway: Any, desk: Desk) -> None:
    agent, _ = sign_in(gateway, "agent@example.test")

    desk.advance(seconds=limits.access_token_s + 1)

    problem(agent.get("/v1/me"), 401, "token_expired")


def test_a_failed_sign_in_says_the_same_whatever_was_wrong(stranger: Caller) -> None:
    answers = [
        problem(stranger.post("/v1/auth/tokens", {"email": email, "password": password}), 401, "sign_in_failed")
        for email, password in (
            ("agent@example.test", "secret-wrong"),
            ("nobody@example.test", PASSWORD),
            ("no address", PASSWORD),
            ("", ""),
        )
    ]

    assert len({answer["detail"] for answer in answers}) == 1


def test_sign_ins_that_fail_too_often_are_429_until_later(gateway: Any, stranger: Caller, desk: Desk) -> None:
    wrong = {"email": "agent@example.test", "password": "secret-wrong"}

    statuses = [stranger.post("/v1/auth/tokens", wrong).status_code for _ in range(limits.sign_in_failures_burst)]
    limited = stranger.post("/v1/auth/tokens", wrong)
    right = stranger.post("/v1/auth/tokens", {"email": "agent@example.test", "password": PASSWORD})
    desk.advance(seconds=int(limited.headers["retry-after"]) + 1)

    assert statuses == [401] * limits.sign_in_failures_burst
    problem(limited, 429, "too_many_requests")
    assert int(limited.headers["retry-after"]) <= limits.sign_in_failure_every_s + 1
    problem(right, 429)
    assert sign_in(gateway, "agent@example.test")


@sqlite_only
def test_strange_credentials_are_refused_and_never_break(stranger: Caller) -> None:
    for email, password in (("a" * 321, "x"), ("a@b", "x" * 257)):
        problem(stranger.post("/v1/auth/tokens", {"email": email, "password": password}), 422)
    for raw in (b"{}", b'{"email": "a@example.test"}', b'{"email": 1, "password": 2}', b"[]"):
        result = stranger.post("/v1/auth/tokens", raw=raw, headers={"Content-Type": "application/json"})
        problem(result, 422)
    problem(stranger.post("/v1/auth/tokens", {"email": "a\x00@example.test", "password": "x"}), 422)


@sqlite_only
def test_a_person_changes_the_own_password_with_the_current_one(gateway: Any, machine: Caller) -> None:
    agent, _ = sign_in(gateway, "agent@example.test")
    other, _ = sign_in(gateway, "agent@example.test")
    new = "secret-lantern-wombat"

    wrong = agent.post("/v1/me/password", {"current_password": "secret-wrong", "new_password": new})
    weak = agent.post("/v1/me/password", {"current_password": PASSWORD, "new_password": "olga-agent-1"})
    changed = agent.post("/v1/me/password", {"current_password": PASSWORD, "new_password": new})

    problem(wrong, 403, "wrong_password")
    assert paths(problem(weak, 422)) == ["/new_password"]
    assert changed.status_code == 204
    assert agent.get("/v1/me").status_code == 200
    problem(other.get("/v1/me"), 401, "session_ended")
    assert sign_in(gateway, "agent@example.test", new)
    problem(machine.post("/v1/me/password", {"current_password": PASSWORD, "new_password": new}), 409)


def test_an_api_key_has_no_session_to_end(machine: Caller) -> None:
    problem(machine.ask("DELETE", "/v1/auth/tokens/current"), 409, "conflict")


def test_an_api_key_is_shown_once_works_and_is_revoked(gateway: Any, machine: Caller, desk: Desk) -> None:
    result = machine.post("/v1/api_keys", {"name": "robot", "role": "agent"})
    key = result.json
    robot = Caller(gateway, key["key"])

    assert result.headers["cache-control"] == "no-store"
    assert robot.read("/v1/me")["role"] == "agent"
    listed = machine.get("/v1/api_keys")
    assert key["key"] not in listed.text
    assert key["key"] not in str(desk.rows("SELECT * FROM api_keys"))
    revoked = machine.ask("DELETE", f"/v1/api_keys/{key['id']}")
    assert revoked.json["revoked_at"] is not None
    problem(robot.get("/v1/me"), 401, "unauthenticated")
    assert machine.ask("DELETE", f"/v1/api_keys/{key['id']}").json == revoked.json
    problem(machine.ask("DELETE", "/v1/api_keys/00000000-0000-7000-8000-000000000000"), 404)


def test_an_api_key_expires(gateway: Any, machine: Caller, desk: Desk) -> None:
    soon = clock.rfc3339(clock.now() + timedelta(hours=1))
    robot = Caller(gateway, machine.made("/v1/api_keys", {"name": "r", "role": "agent", "expires_at": soon})["key"])
    before = robot.get("/v1/me").status_code

    desk.advance(hours=2)

    assert before == 200
    problem(robot.get("/v1/me"), 401)
    for at in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00", "9999-12-31T23:59:59-14:00"):
        refused = machine.post("/v1/api_keys", {"name": "r", "role": "agent", "expires_at": at})
        assert paths(problem(refused, 422)) == ["/expires_at"]
    forever = machine.post("/v1/api_keys", {"name": "r", "role": "agent", "expires_at": "9999-12-31T23:59:59Z"})
    assert forever.status_code == 201


def test_a_user_is_made_signs_in_is_changed_and_deactivated(gateway: Any, machine: Caller) -> None:
    made = machine.post("/v1/users", NEW)
    path = made.headers["location"]
    nina, _ = sign_in(gateway, NEW["email"], NEW["password"])

    renamed = machine.ask("PATCH", path, {"name": "Nina Newer"}, headers={"If-Match": made.headers["etag"]})
    late = machine.ask("PATCH", path, {"name": "Nobody"}, headers={"If-Match": made.headers["etag"]})
    still_in = nina.get("/v1/me").status_code
    gone = machine.ask("PATCH", path, {"active": False}, headers={"If-Match": renamed.headers["etag"]})

    assert made.status_code == 201
    assert "password" not in made.text
    assert renamed.json["name"] == "Nina Newer"
    problem(late, 412, "precondition_failed")
    assert still_in == 200
    assert gone.json["active"] is False
    problem(nina.get("/v1/me"), 401)
    problem(machine.ask("PATCH", path, {"name": "x"}), 428, "precondition_required")


def test_an_address_belongs_to_one_user_however_it_is_written(machine: Caller) -> None:
    other = machine.made("/v1/users", NEW)

    taken = machine.post("/v1/users", NEW | {"email": "Agent@EXAMPLE.test"})
    moved = machine.ask("PATCH", f"/v1/users/{other['id']}", {"email": "agent@example.test"}, headers={"If-Match": "*"})

    problem(taken, 409, "email_taken")
    problem(moved, 409, "email_taken")
    assert machine.read(f"/v1/users/{other['id']}")["email"] == NEW["email"]


def test_eight_users_with_one_address_at_once_are_one(machine: Caller, desk: Desk) -> None:
    results = desk.in_threads(*[lambda: machine.post("/v1/users", NEW).status_code] * 8)

    assert sorted(results) == [201] + [409] * 7


def test_the_last_admin_stays(machine: Caller) -> None:
    admin = machine.read("/v1/users?role=admin")["items"][0]

    for change in ({"role": "agent"}, {"active": False}):
        refused = machine.ask("PATCH", f"/v1/users/{admin['id']}", change, headers={"If-Match": "*"})
        problem(refused, 409, "last_admin")


@sqlite_only
def test_wrong_values_of_a_user_are_named(machine: Caller) -> None:
    for change, path in (
        ({"email": "nobody"}, "/email"),
        ({"name": " "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"role": "boss"}, "/role"),
        ({"locale": "de_DE"}, "/locale"),
        ({"password": "short"}, "/password"),
        ({"password": "password123"}, "/password"),
        ({"password": "x" * 257}, "/password"),
    ):
        assert paths(problem(machine.post("/v1/users", NEW | change), 422)) == [path], change
    for name in NEW.keys() - {"password"}:
        missing = {key: value for key, value in NEW.items() if key != name}
        problem(machine.post("/v1/users", missing), 422)


@sqlite_only
def test_people_that_do_not_exist_are_404(machine: Caller, as_role: Callable[[str], Caller]) -> None:
    for path in ("/v1/users/{}", "/v1/requesters/{}"):
        for name in ("7", "x", "00000000-0000-7000-8000-000000000000"):
            problem(machine.get(path.format(name)), 404, "not_found")
    unknown = "/v1/users/00000000-0000-7000-8000-000000000000"
    problem(machine.ask("PATCH", unknown, {"name": "x"}, headers={"If-Match": "*"}), 404)


def test_the_key_of_a_dismissed_admin_creates_no_admins(gateway: Any, machine: Caller) -> None:
    boss = machine.post("/v1/users", NEW | {"role": "admin"})
    signed_in, _ = sign_in(gateway, NEW["email"], NEW["password"])
    key = signed_in.made("/v1/api_keys", {"name": "robot"})
    robot = Caller(gateway, key["key"])
    before = robot.post("/v1/users", NEW | {"email": "one@example.test", "role": "admin"})

    machine.ask("PATCH", boss.headers["location"], {"active": False}, headers={"If-Match": "*"})

    assert (before.status_code, key["owner_id"], key["role"]) == (201, boss.json["id"], "admin")
    problem(robot.post("/v1/users", NEW | {"email": "two@example.test", "role": "admin"}), 401)


@sqlite_only
def test_a_key_has_scopes_and_gives_no_more_than_they_are(gateway: Any, machine: Caller) -> None:
    scopes = ["api_keys_manage", "tickets_read"]
    key = machine.made("/v1/api_keys", {"name": "narrow", "scopes": scopes})
    narrow = Caller(gateway, key["key"])

    assert key["scopes"] == scopes
    assert narrow.read("/v1/me")["permissions"] == scopes
    document = problem(narrow.get("/v1/inbox"), 403, "forbidden")
    assert document["detail"] == "This API key lacks the permission inbox_read."
    problem(narrow.post("/v1/api_keys", {"name": "wide"}), 403, "more_than_yours")
    problem(narrow.post("/v1/api_keys", {"name": "wide", "scopes": ["inbox_read"]}), 403, "more_than_yours")
    assert narrow.made("/v1/api_keys", {"name": "n", "scopes": ["tickets_read"]})["scopes"] == ["tickets_read"]
    refused = machine.post("/v1/api_keys", {"name": "n", "role": "agent", "scopes": ["users_manage"]})
    assert paths(problem(refused, 422)) == ["/scopes"]
