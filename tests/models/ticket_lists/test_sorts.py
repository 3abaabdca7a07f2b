"""Every order of a list is total, has tickets without the value last, and is walked by its cursor without a gap."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel.storage import database
from models.ticket_actions import commands
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import count, listed, page
from models.ticket_lists.sorts import SORTS
from models.visibility.sight import DESK
from tests.desk import Desk


@pytest.fixture
def many(desk: Desk) -> Desk:
    """Tickets that share some values and lack others, with a priority that the desk does not have any more."""
    people = ("ada", "bob", "ada", None, "eve", None)
    for number, person in enumerate(people):
        ticket = desk.create_ticket(
            f"Ticket {number % 4}",
            priority=("low", "urgent", "normal")[number % 3],
            type=("incident", "question")[number % 2],
            **({"email": f"{person}@example.com", "requester_name": person, "description": "x"} if person else {}),
        )
        if number % 2:
            desk.command(commands.assign, ticket.id, None if number == 3 else _agent(desk), actor=desk.person())
    with database.transaction():
        database.execute("UPDATE tickets SET priority = 'soon' WHERE number IN (2, 4)")
    return desk


def _agent(desk: Desk) -> Any:
    [row] = desk.rows("SELECT id FROM users WHERE email = 'agent@example.test'")
    return row["id"]


def _value(desk: Desk, sort: str, ticket: Any) -> Any:
    word = sort.removeprefix("-")
    if word == "assignee":
        return "agent" if ticket.assignee_id else None
    if word == "requester":
        rows = desk.rows("SELECT name FROM requesters WHERE id = :id", id=ticket.requester_id)
        return rows[0]["name"] if rows else None
    value = getattr(ticket, word)
    return ["low", "normal", "high", "urgent"].index(value) if word == "priority" and value != "soon" else value


def test_every_order_is_walked_without_gap_or_repetition(many: Desk) -> None:
    for sort in SORTS:
        with database.connection():
            whole = page(TicketFilter(), sort=sort, after=None, limit=100, sight=DESK)
            walked: list[Any] = []
            after = None
            while found := listed(TicketFilter(), sort=sort, after=after, limit=1, sight=DESK):
                walked.append(found[0].ticket)
                after = found[0].position

        assert [one.number for one in walked] == [one.number for one in whole], sort
        assert sorted(one.number for one in whole) == [1, 2, 3, 4, 5, 6], sort
        values = [_value(many, sort, one) for one in whole]
        known = [one for one in values if one not in (None, "soon")]
        assert values[: len(known)] == known, f"{sort}: tickets without the value, or without a rank, come last"
        assert known == sorted(known, reverse=sort.startswith("-")), sort


def test_tickets_with_a_word_that_is_no_priority_any_more_come_last_and_keep_it(many: Desk) -> None:
    with database.connection():
        by_rank = [one.priority for one in page(TicketFilter(), sort="-priority", after=None, limit=9, sight=DESK)]

    assert by_rank == ["urgent", "normal", "normal", "low", "soon", "soon"]


def test_a_count_stops_at_its_bound(many: Desk) -> None:
    with database.connection():
        assert count(TicketFilter(), sight=DESK) == 6
        assert count(TicketFilter(), sight=DESK, most=5) == 6
        assert count(TicketFilter(), sight=DESK, most=2) == 3
