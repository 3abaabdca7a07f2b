"""A condition that fails at run time is told in `why`: no request fails, no task becomes a dead letter, and the ticket
lives on.
"""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import files, store
from models.kernel.storage import database
from models.publishing import workflows
from scripts import defs
from tests.desk import Desk
from tests.functions.callers import Caller, problem

FAILING = [
    "1 / (ticket.message_count - ticket.message_count) > 0",
    'ticket.tags[0] == "vip"',
    "int(1e300) > ticket.number",
]


def published_with(condition: str) -> None:
    """The shipped support life cycle with a failing condition at creation, at a transition and before the reaction that
    reopens.
    """
    body: dict[str, Any] = files.read(defs.ROOT / "support" / "workflow.yaml")[0]
    body["transitions"]["start"]["guard"] = condition
    failing = [
        {
            "on": "ticket_created",
            "name": "failing_at_creation",
            "when": condition,
            "do": [{"priority": "high"}],
        },
        {
            "on": "requester_message",
            "name": "failing_at_message",
            "when": condition,
            "do": [{"priority": "high"}],
        },
    ]
    body["reactions"] = [*failing, *body["reactions"]]
    with database.transaction():
        store.publish("workflow", "support", body, source="test", by="test")
    workflows.forget()


def rules_of(machine: Caller, path: str) -> dict[str, dict[str, Any]]:
    told = machine.read(f"{path}/why")
    return {rule["rule"]: rule for decision in told["decisions"] for rule in decision["rules"]}


@pytest.mark.parametrize("condition", FAILING)
def test_a_failing_condition_is_reported_and_the_ticket_still_opens_moves_and_reopens(
    condition: str, machine: Caller, desk: Desk
) -> None:
    published_with(condition)

    desk.receive_telegram("It does not work.")
    desk.run_due()
    path = f"/v1/tickets/{desk.ticket().id}"
    made = machine.post("/v1/tickets", {"title": "Made over the API"})
    refused = problem(machine.post(f"{path}/transitions", {"transition": "start"}), 409, "transition_refused")
    offered = machine.read(f"{path}/transitions")
    solved = machine.post(f"{path}/transitions", {"transition": "resolve"})
    desk.receive_telegram("It is still broken.")
    desk.run_due()

    assert (made.status_code, solved.status_code) == (201, 200)
    assert repr(condition) in refused["reasons"][0]
    assert "cannot be evaluated" in refused["reasons"][0]
    assert "cannot be evaluated" in str(offered)
    assert machine.read(path)["state"] == "open"
    assert desk.tasks("dead") == []
    rules = rules_of(machine, path)
    for name in ("failing_at_creation", "failing_at_message"):
        assert (rules[name]["outcome"], rules[name]["condition"]) == ("refused", condition)
        assert "cannot be evaluated" in rules[name]["reasons"][0]
        assert rules[name]["values"]
