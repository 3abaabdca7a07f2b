"""Invitations and password resets over HTTP."""

from __future__ import annotations

import re
from typing import Any

from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller, paths, problem, sqlite_only
from tests.functions.conftest import sign_in
from tests.models.credentials.test_password_links import TOKEN, without_system_account

pytestmark = sqlite_only
NEW = "secret-lantern-wombat"


def token_in(desk: Desk) -> str:
    """The token of the newest mail."""
    found = re.search(TOKEN, desk.sent[-1].body)
    assert found is not None
    return found[1]


def test_a_forgotten_password_is_reset_by_mail(gateway: Any, stranger: Caller, desk: Desk) -> None:
    before, _ = sign_in(gateway, "agent@example.test")
    answers = [
        stranger.post("/v1/auth/password_resets", {"email": email})
        for email in ("agent@example.test", "nobody@example.test", "no address")
    ]
    desk.run_due()
    token = token_in(desk)

    weak = stranger.post("/v1/auth/passwords", {"token": token, "password": "olga-agent-1"})
    chosen = stranger.post("/v1/auth/passwords", {"token": token, "password": NEW})
    again = stranger.post("/v1/auth/passwords", {"token": token, "password": "secret-wombat-lantern"})

    assert len(desk.sent) == 1
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "")}
    assert paths(problem(weak, 422)) == ["/password"]
    assert chosen.status_code == 204
    problem(again, 409, "link_unusable")
    problem(before.get("/v1/me"), 401, "session_ended")
    assert sign_in(gateway, "agent@example.test", NEW)


def test_a_user_without_a_password_is_invited(gateway: Any, machine: Caller, stranger: Caller, desk: Desk) -> None:
    made = machine.post("/v1/users", {"email": "new@example.test", "name": "Nina New", "role": "agent"})
    desk.run_due()

    refused = stranger.post("/v1/auth/tokens", {"email": "new@example.test", "password": PASSWORD})
    chosen = stranger.post("/v1/auth/passwords", {"token": token_in(desk), "password": NEW})

    assert made.status_code == 201
    assert "nsl_" not in made.text
    problem(refused, 401, "sign_in_failed")
    assert chosen.status_code == 204
    assert sign_in(gateway, "new@example.test", NEW)


def test_an_invitation_is_repeated_by_who_manages_users_only(machine: Caller, agent: Caller, desk: Desk) -> None:
    user = machine.made("/v1/users", {"email": "new@example.test", "name": "Nina New", "role": "agent"})
    path = f"/v1/users/{user['id']}/invitations"

    again = machine.post(path)
    refused = agent.post(path)
    desk.run_due()

    assert (again.status_code, again.text) == (202, "")
    problem(refused, 403)
    assert [sent.address for sent in desk.sent] == ["new@example.test"] * 2
    problem(machine.post("/v1/users/00000000-0000-7000-8000-000000000000/invitations"), 404)


def test_without_a_system_account_nobody_is_invited_by_mail(machine: Caller, stranger: Caller, desk: Desk) -> None:
    without_system_account(desk)
    user = machine.read("/v1/users")["items"][0]

    created = machine.post("/v1/users", {"email": "new@example.test", "name": "Nina New", "role": "agent"})
    invited = machine.post(f"/v1/users/{user['id']}/invitations")
    reset = stranger.post("/v1/auth/password_resets", {"email": "agent@example.test"})

    problem(created, 409, "no_system_account")
    problem(invited, 409, "no_system_account")
    assert reset.status_code == 202
    assert "new@example.test" not in machine.get("/v1/users").text
