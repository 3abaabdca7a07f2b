"""Accountants see number, type, title and description of the tasks that were paid, and nothing else of any ticket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.events.workflow_payloads import RewardGranted
from models.kernel.storage import database
from models.tickets.ticket_change import TicketChange
from tests.desk import Desk
from tests.functions.callers import Caller, problem
from tests.functions.test_visibility import hide


@pytest.fixture
def accountant(as_user: Callable[[str], Caller]) -> Caller:
    return as_user("accountant")


def paid(desk: Desk, title: str, **more: Any) -> Any:
    """A ticket with a description, a note and a reward."""
    ticket = desk.create_ticket(title, description="Count the chairs.", **more)
    with database.transaction():
        change = TicketChange.of(ticket.id, actor=desk.person("manager"))
        granted = RewardGranted(kind="reward", amount_minor=1_000, currency="EUR", user=str(desk.person().id))
        change.record(granted)
        change.save()
    return ticket


def test_an_accountant_sees_four_facts_of_paid_tasks(desk: Desk, accountant: Caller) -> None:
    hide(desk)
    first, second = paid(desk, "Chairs", type="task"), paid(desk, "Tables", team="hr")
    unpaid = desk.create_ticket("Lamps")

    found = accountant.everything("/v1/paid_tasks", limit=1)

    assert [(one["number"], one["type"], one["title"], one["description"]) for one in found] == [
        (second.number, "question", "Tables", "Count the chairs."),
        (first.number, "task", "Chairs", "Count the chairs."),
    ]
    assert found[1].keys() == {"id", "number", "type", "title", "description"}
    assert accountant.read(f"/v1/paid_tasks/{first.number}") == found[1]
    assert UUID(found[0]["id"]) == second.id
    problem(accountant.get(f"/v1/paid_tasks/{unpaid.number}"), 404)


def test_an_accountant_reads_no_ticket_and_no_conversation(desk: Desk, accountant: Caller) -> None:
    ticket = paid(desk, "Chairs")

    for path in ("", "/messages", "/events", "/why", "/participants", "/approvals", "/links", "/deliveries"):
        problem(accountant.get(f"/v1/tickets/{ticket.id}{path}"), 403)
    problem(accountant.get("/v1/tickets"), 403)
    problem(accountant.get("/v1/requesters"), 403)


def test_a_task_that_was_opened_by_a_message_has_no_description(desk: Desk, accountant: Caller) -> None:
    desk.receive_telegram("My private words.")
    desk.run_due()
    ticket = desk.ticket()
    with database.transaction():
        change = TicketChange.of(ticket.id, actor=desk.person("manager"))
        change.record(RewardGranted(kind="reward", amount_minor=1, currency="EUR", user=str(desk.person().id)))
        change.save()

    assert accountant.read(f"/v1/paid_tasks/{ticket.number}")["description"] is None
