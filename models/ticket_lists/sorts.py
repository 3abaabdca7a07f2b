"""The orders of ticket lists.

A list is ordered by one value and then by id, so the order is total and a cursor is a position in it. Tickets without
the value come last in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import peewee

from models.identity.tables import UserRow
from models.requesters.tables import Requester
from models.tickets.tables import Ticket

Kind = Literal["instant", "number", "text"]
SortWord = Literal[
    "-updated_at",
    "updated_at",
    "-created_at",
    "created_at",
    "-number",
    "number",
    "-next_due_at",
    "next_due_at",
    "-last_message_at",
    "last_message_at",
    "-unanswered_since",
    "unanswered_since",
    "-priority",
    "priority",
    "-title",
    "title",
    "-state",
    "state",
    "-type",
    "type",
    "-team",
    "team",
    "-channel",
    "channel",
    "-assignee",
    "assignee",
    "-requester",
    "requester",
]


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `value`: the column to sort by. `joined`: the table that has it, and the ticket's column that names
    its row. `is_ranked`: the values have an order of their own (priorities), lowest first.
    """

    word: str
    kind: Kind
    descending: bool
    value: Any
    null: bool
    joined: tuple[Any, Any] | None = None
    is_ranked: bool = False


def _orders() -> dict[str, Order]:
    found: dict[str, Order] = {}

    def add(name: str, kind: Kind, value: Any, **more: Any) -> None:
        null = bool(value.null) or "joined" in more
        for word, descending in ((f"-{name}", True), (name, False)):
            found[word] = Order(word, kind, descending, value, null, **more)

    instants: tuple[Any, ...] = (
        Ticket.updated_at,
        Ticket.created_at,
        Ticket.next_due_at,
        Ticket.last_message_at,
        Ticket.unanswered_since,
    )
    for column in instants:
        add(column.name, "instant", column)
    add("number", "number", Ticket.number)
    add("priority", "text", Ticket.priority, is_ranked=True)
    texts: tuple[Any, ...] = (Ticket.title, Ticket.state, Ticket.type, Ticket.team, Ticket.channel)
    for column in texts:
        add(column.name, "text", column)
    add("assignee", "text", UserRow.name, joined=(UserRow, Ticket.assignee_id))
    add("requester", "text", Requester.name, joined=(Requester, Ticket.requester_id))
    return found


# Sort word -> order.
SORTS: Final[dict[str, Order]] = _orders()


def joined(query: Any, order: Order) -> Any:
    """Return the query with the table that has the order's value."""
    if order.joined is None:
        return query
    table, column = order.joined
    return query.join(table, peewee.JOIN.LEFT_OUTER, on=(table.id == column))
