"""An approval holds what it approved: a purchase of 500 that was approved never becomes one of 99,000."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only

pytestmark = sqlite_only
FIELDS = {
    "item": "Chair",
    "amount": {"amount": 50_000, "currency": "EUR"},
    "cost_centre": "CC-1000",
    "supplier": "Shop",
    "justification": "The old one broke.",
}
DEAR = {"amount": 9_900_000, "currency": "EUR"}


def change(caller: Caller, path: str, body: dict[str, Any]) -> Any:
    return caller.ask("PATCH", path, body, headers={"If-Match": "*"})


def vote(caller: Caller, path: str) -> None:
    [waiting] = [one for one in caller.read(f"{path}/approvals")["items"] if one["state"] == "pending"]
    caller.made(f"{path}/approvals/{waiting['id']}/votes", {"vote": "approve"})


@pytest.fixture
def manager(desk: Desk, as_user: Any) -> Caller:
    caller: Caller = as_user("manager")
    return caller


@pytest.fixture
def approved(agent: Caller, manager: Caller) -> str:
    """The path of an approved purchase of 500 EUR."""
    made = agent.ticket(type="purchase", fields=FIELDS)
    path = f"/v1/tickets/{made['id']}"
    agent.made(f"{path}/transitions", {"transition": "submit"})
    vote(manager, path)
    assert agent.read(path)["state"] == "approved"
    return path


@pytest.mark.parametrize("role", ["agent", "manager", "admin"])
def test_nobody_changes_what_was_approved(approved: str, role: str, as_user: Any, agent: Caller) -> None:
    caller = as_user(role)
    before = agent.read(approved)

    answer = change(caller, approved, {"fields": FIELDS | {"amount": DEAR}})

    document = problem(answer, 422)
    assert paths(document) == ["/fields/amount"]
    assert "locked while the ticket is approved; take return_to_draft or withdraw first" in answer.text
    assert agent.read(approved) == before


def test_a_locked_value_is_neither_removed_nor_changed_along_with_a_transition(approved: str, manager: Caller) -> None:
    removed = change(manager, approved, {"fields": {"supplier": None, "justification": None}})
    moved = manager.post(
        f"{approved}/transitions", {"transition": "order", "fields": {"order_number": "PO-1", "amount": DEAR}}
    )

    assert set(paths(problem(removed, 422))) == {"/fields/supplier", "/fields/justification"}
    assert paths(problem(moved, 422)) == ["/fields/amount"]
    assert manager.read(approved)["state"] == "approved"


def test_a_field_that_is_not_locked_changes_as_ever(approved: str, manager: Caller) -> None:
    fields = manager.read(approved)["fields"] | {"order_number": "PO-1"}

    assert change(manager, approved, {"fields": fields}).status_code == 200


def test_the_type_does_not_change_while_fields_are_locked(approved: str, manager: Caller) -> None:
    answer = change(manager, approved, {"type": "question", "fields": {"amount": DEAR}})

    document = problem(answer, 409, "type_locked")
    assert "amount is locked" in document["detail"]
    assert "the approval of approve_small stands" in document["detail"]
    assert "take return_to_draft first" in document["detail"]


def test_the_way_out_unlocks_and_asks_again(approved: str, agent: Caller, manager: Caller) -> None:
    agent.made(f"{approved}/transitions", {"transition": "return_to_draft"})

    assert change(agent, approved, {"fields": FIELDS | {"amount": DEAR}}).status_code == 200
    agent.made(f"{approved}/transitions", {"transition": "submit"})
    found = {one["transition"]: one["state"] for one in agent.read(f"{approved}/approvals")["items"]}
    assert found == {"approve_small": "lapsed", "approve_large": "pending"}


def test_the_type_changes_after_the_way_out(approved: str, agent: Caller) -> None:
    agent.made(f"{approved}/transitions", {"transition": "return_to_draft"})

    assert change(agent, approved, {"type": "question"}).json["type"] == "question"


def test_a_change_of_a_named_field_withdraws_the_approval_and_says_so(agent: Caller, manager: Caller) -> None:
    made = agent.ticket(type="access-request", fields={"system": "crm", "rights": ["read"]})
    path = f"/v1/tickets/{made['id']}"

    fields = agent.read(path)["fields"] | {"rights": ["read", "write"]}
    assert change(agent, path, {"fields": fields}).status_code == 200

    assert [one["state"] for one in agent.read(f"{path}/approvals")["items"]] == ["withdrawn", "pending"]
    decided = [one["payload"] for one in agent.everything(f"{path}/events") if one["event_type"] == "approval_decided"]
    assert [(one["outcome"], one["field"]) for one in decided] == [("withdrawn", "rights")]
    reasons = [
        reason
        for decision in agent.read(f"{path}/why")["decisions"]
        for rule in decision["rules"]
        for reason in rule["reasons"]
    ]
    assert "rights changed, so the approval of approvers is withdrawn" in reasons
    vote(manager, path)
    assert agent.read(path)["state"] == "provisioning"


def test_the_type_does_not_change_while_an_approval_waits(agent: Caller) -> None:
    made = agent.ticket(type="access-request", fields={"system": "crm"})

    document = problem(
        change(agent, f"/v1/tickets/{made['id']}", {"type": "question", "fields": {}}), 409, "type_locked"
    )

    assert "approve waits for an approval; take deny first" in document["detail"]
