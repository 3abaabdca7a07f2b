"""Events that have no ticket yet belong to the team of their account. A hidden team chooses its members itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from models.channels import accounts
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_visibility import hide


@pytest.fixture
def hr_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's Telegram account belongs to the hidden team."""
    every = accounts.every

    def with_team() -> list[Any]:
        return [
            dataclasses.replace(account, config={**account.config, "team": "hr"})
            if account.channel == "telegram"
            else account
            for account in every()
        ]

    monkeypatch.setattr(accounts, "every", with_team)


@sqlite_only
@pytest.mark.usefixtures("hr_mailbox")
def test_an_event_without_a_ticket_is_visible_to_the_team_of_its_account_only(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    hide(desk)
    event = desk.receive_raw("telegram", b"nonsense of HR", content_type="application/json")
    desk.run_due()
    path = f"/v1/inbox/{event}"

    for caller in (machine, as_user("agent")):
        assert caller.get(f"{path}/raw").text == "nonsense of HR"
        assert [row["id"] for row in caller.read("/v1/inbox")["items"]] == [str(event)]
    outsider = as_user("manager")
    assert outsider.read("/v1/inbox")["items"] == []
    for name in (path, f"{path}/raw"):
        problem(outsider.get(name), 404)
    for name in ("replay", "discard"):
        problem(outsider.post(f"{path}/{name}"), 404)


@sqlite_only
def test_nobody_joins_a_hidden_team_by_the_right_to_manage_users(
    desk: Desk, machine: Caller, gateway: Any, as_user: Any
) -> None:
    hide(desk)
    role = {"name": "people_desk", "based_on": "manager"}
    given = machine.read("/v1/roles")["items"]
    manager = next(one for one in given if one["name"] == "manager")
    machine.made("/v1/roles", role | {"permissions": [*manager["permissions"], "users_manage"]})
    key = machine.made("/v1/api_keys", {"name": "people", "role": "people_desk"})["key"]
    outsider, me = Caller(gateway, key), desk.person("manager").id

    refused = outsider.ask("PUT", "/v1/teams/hr/members", {"members": [str(me)]}, headers={"If-Match": "*"})

    # The key's owner is the seeded administrator, who sees all tickets; the key's own permissions do not.
    problem(refused, 403, "forbidden")
    assert str(me) not in machine.read("/v1/teams/hr")["members"]
    assert (
        machine.ask("PUT", "/v1/teams/hr/members", {"members": [str(me)]}, headers={"If-Match": "*"}).status_code == 200
    )
