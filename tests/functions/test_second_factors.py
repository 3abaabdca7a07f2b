"""Second factors over HTTP: add, sign in, require by role, remove."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel import limits, settings
from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller, paths, problem, sqlite_only
from tests.functions.conftest import sign_in
from tests.models.credentials.authenticator import Authenticator
from tests.models.credentials.steps import App
from tests.scripts.verbs import run_verb

pytestmark = sqlite_only
CREDENTIALS = {"email": "agent@example.test", "password": PASSWORD}


def enrol(caller: Caller, desk: Desk) -> tuple[App, list[str]]:
    key = caller.post("/v1/me/second_factors/totp", {"password": PASSWORD})
    assert key.headers["cache-control"] == "no-store"
    assert key.json["uri"].startswith("otpauth://totp/Nestor%20demo%20desk:agent%40example.test?secret=")
    app = App(key.json["secret"])
    confirmed = caller.post("/v1/me/second_factors/totp/confirmation", {"code": app.code()})
    assert confirmed.status_code == 201
    desk.advance(seconds=30)
    return app, confirmed.json["recovery_codes"]


def test_a_person_adds_an_app_signs_in_with_it_and_removes_it(
    gateway: Any, agent: Caller, stranger: Caller, desk: Desk
) -> None:
    app, codes = enrol(agent, desk)

    step = stranger.post("/v1/auth/tokens", CREDENTIALS)
    wrong = stranger.post("/v1/auth/second_factors", {"challenge": step.json["challenge"], "totp": "000000"})
    right = stranger.post("/v1/auth/second_factors", {"challenge": step.json["challenge"], "totp": app.code()})
    again = stranger.post("/v1/auth/second_factors", {"challenge": step.json["challenge"], "recovery_code": codes[0]})

    assert (step.status_code, step.headers["cache-control"]) == (200, "no-store")
    assert step.json["second_factor"] == ["totp", "recovery_code"]
    assert (step.json["enrolment"], step.json["expires_in_s"]) == (False, limits.challenge_s)
    problem(wrong, 401, "second_factor_failed")
    assert right.status_code == 201
    problem(again, 401, "challenge_ended")
    me = Caller(gateway, right.json["access_token"])
    listed = me.read("/v1/me/second_factors")
    assert (listed["items"][0]["kind"], listed["recovery_codes_left"]) == ("totp", 10)
    removal = f"/v1/me/second_factors/{listed['items'][0]['id']}/removal"
    problem(me.post(removal, {"password": "secret-wrong"}), 403, "wrong_password")
    assert me.post(removal, {"password": PASSWORD}).status_code == 204
    assert sign_in(gateway, "agent@example.test")


def test_a_challenge_is_no_bearer_token(gateway: Any, agent: Caller, stranger: Caller, desk: Desk) -> None:
    enrol(agent, desk)
    challenge = stranger.post("/v1/auth/tokens", CREDENTIALS).json["challenge"]

    problem(Caller(gateway, challenge).get("/v1/me"), 401)
    problem(stranger.post("/v1/auth/tokens/refresh", {"refresh_token": challenge}), 401)


def test_changes_of_second_factors_need_the_password(agent: Caller, machine: Caller) -> None:
    for path in ("/v1/me/second_factors/totp", "/v1/me/recovery_codes"):
        problem(agent.post(path, {"password": "secret-wrong"}), 403, "wrong_password")
        problem(machine.post(path, {"password": PASSWORD}), 409)
    problem(agent.post("/v1/me/recovery_codes", {"password": PASSWORD}), 409)
    problem(agent.post("/v1/me/second_factors/totp/confirmation", {"code": "000000"}), 404)


def test_a_wrong_password_tells_nothing_about_second_factors(agent: Caller, stranger: Caller, desk: Desk) -> None:
    enrol(agent, desk)

    answers = [
        stranger.post("/v1/auth/tokens", {"email": email, "password": "secret-wrong"})
        for email in ("agent@example.test", "manager@example.test", "nobody@example.test")
    ]

    assert len({problem(answer, 401, "sign_in_failed")["detail"] for answer in answers}) == 1


def test_a_proof_is_one_code(stranger: Caller) -> None:
    for body in ({"challenge": "x"}, {"challenge": "x", "totp": "1", "recovery_code": "2"}):
        assert paths(problem(stranger.post("/v1/auth/second_factors", body), 422)) == ["/totp"]


def test_a_role_that_requires_a_second_factor_lets_a_user_do_nothing_but_add_one(
    gateway: Any, stranger: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_FACTOR_ROLES", "agent")
    settings.current.cache_clear()
    step = stranger.post("/v1/auth/tokens", CREDENTIALS)
    token = step.json["challenge"]

    refused = stranger.post("/v1/auth/second_factors", {"challenge": token, "totp": "000000"})
    key = stranger.made("/v1/auth/enrolments/totp", {"challenge": token})
    code = App(key["secret"]).code()
    enrolled = stranger.post("/v1/auth/enrolments/totp/confirmation", {"challenge": token, "code": code})

    assert step.json["enrolment"]
    problem(refused, 401, "challenge_ended")
    assert (enrolled.status_code, len(enrolled.json["recovery_codes"])) == (201, limits.recovery_codes)
    assert Caller(gateway, enrolled.json["access_token"]).read("/v1/me")["name"] == "Olga Agent"
    problem(stranger.post("/v1/auth/enrolments/totp", {"challenge": token}), 401, "challenge_ended")


def test_a_user_who_lost_the_second_factor_is_helped(gateway: Any, agent: Caller, machine: Caller, desk: Desk) -> None:
    user = agent.read("/v1/me")["id"]
    enrol(agent, desk)
    by_api = machine.ask("DELETE", f"/v1/users/{user}/second_factors")
    signed_in = sign_in(gateway, "agent@example.test")[0]
    enrol(signed_in, desk)
    refused = signed_in.ask("DELETE", f"/v1/users/{user}/second_factors")
    by_command = run_verb("users", "remove_second_factors", "--email", "agent@example.test")

    assert by_api.status_code == 204
    problem(refused, 403)
    assert "1 second factors were removed" in by_command.stdout
    assert sign_in(gateway, "agent@example.test")


@pytest.fixture
def https_gateway(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A gateway whose PUBLIC_URL is https: browsers permit passkeys for nothing else (Web Authentication, 5.4)."""
    from functions.gateway.app import create_app

    monkeypatch.setenv("PUBLIC_URL", "https://desk.example.test")
    settings.current.cache_clear()
    return create_app()


def test_a_passkey_is_added_and_signs_in_alone_and_after_the_password(https_gateway: Any) -> None:
    gateway, stranger = https_gateway, Caller(https_gateway)
    agent = sign_in(gateway, "agent@example.test")[0]
    key = Authenticator("https://desk.example.test", "desk.example.test")

    begun = agent.made("/v1/me/second_factors/passkey", {"password": PASSWORD})
    body = {"challenge": begun["challenge"], "name": "Blue key", "passkey": key.create(begun["options"])}
    added = agent.post("/v1/me/second_factors/passkey/confirmation", body)
    challenge = stranger.made("/v1/auth/passkeys/challenges")
    response = {"challenge": challenge["challenge"], "passkey": key.get(challenge["options"])}
    alone = stranger.post("/v1/auth/passkeys", response)
    step = stranger.post("/v1/auth/tokens", CREDENTIALS).json
    proof = {"challenge": step["challenge"], "passkey": key.get(step["passkey"])}
    after_password = stranger.post("/v1/auth/second_factors", proof)

    assert (added.status_code, len(added.json["recovery_codes"])) == (201, limits.recovery_codes)
    assert alone.status_code == after_password.status_code == 201
    assert Caller(gateway, alone.json["access_token"]).read("/v1/me/second_factors")["items"][0]["name"] == "Blue key"
    problem(stranger.post("/v1/auth/passkeys", response), 401, "challenge_ended")
    problem(agent.post("/v1/me/second_factors/passkey", {"password": "secret-wrong"}), 403, "wrong_password")


def test_a_passkey_is_enrolled_where_the_role_requires_one(https_gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, stranger = https_gateway, Caller(https_gateway)
    monkeypatch.setenv("SECOND_FACTOR_ROLES", "all")
    settings.current.cache_clear()
    key = Authenticator("https://desk.example.test", "desk.example.test")
    token = stranger.post("/v1/auth/tokens", CREDENTIALS).json["challenge"]

    begun = stranger.made("/v1/auth/enrolments/passkey", {"challenge": token})
    body = {"challenge": token, "name": "Key", "passkey": key.create(begun["options"])}
    enrolled = stranger.post("/v1/auth/enrolments/passkey/confirmation", body)

    assert enrolled.status_code == 201
    assert Caller(gateway, enrolled.json["access_token"]).get("/v1/me").status_code == 200
