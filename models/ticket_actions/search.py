"""Search tickets: the list that people filter, sort and page through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import peewee

from models.conversations.tables import Message
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.kernel.storage.table import member_text
from models.tickets.tables import Ticket
from models.visibility.sight import Sight


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """The filters of a list. Several values of one property mean any of them."""

    states: Sequence[str] = ()
    categories: Sequence[str] = ()
    types: Sequence[str] = ()
    teams: Sequence[str] = ()
    workflows: Sequence[str] = ()
    tags: Sequence[str] = ()
    assignee_id: UUID | None = None
    unassigned: bool = False
    requester_id: UUID | None = None
    text: str | None = None
    # Names of searchable fields, each with the types whose models hide it from the caller.
    searched_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    updated_since: datetime | None = None
    due_since: datetime | None = None
    due_until: datetime | None = None


# sort word -> (column, newest or largest first)
SORTS: dict[str, tuple[str, bool]] = {
    "-updated_at": ("updated_at", True),
    "updated_at": ("updated_at", False),
    "-created_at": ("created_at", True),
    "created_at": ("created_at", False),
    "-number": ("number", True),
    "number": ("number", False),
    "-next_due_at": ("next_due_at", True),
    "next_due_at": ("next_due_at", False),
}


def page(wanted: TicketFilter, *, sort: str, after: tuple[Any, UUID] | None, limit: int, sight: Sight) -> list[Ticket]:
    """Return up to `limit` visible tickets after the cursor position (sort value, id), in the order of `sort` (a key of
    SORTS). A ticket without a value to sort by is left out.
    """
    column_name, descending = SORTS[sort]
    column = getattr(Ticket, column_name)
    query = Ticket.select()
    if not sight.sees_all:
        query = query.where(sight.tickets())
    for condition in _conditions(wanted):
        query = query.where(condition)
    if column.null:
        query = query.where(column.is_null(False))
    if after is not None:
        value, ticket_id = after
        if descending:
            query = query.where((column < value) | ((column == value) & (Ticket.id < ticket_id)))
        else:
            query = query.where((column > value) | ((column == value) & (Ticket.id > ticket_id)))
    order = (column.desc(), Ticket.id.desc()) if descending else (column.asc(), Ticket.id.asc())
    return list(query.order_by(*order).limit(limit))


def _conditions(wanted: TicketFilter) -> list[Any]:
    conditions: list[Any] = []
    for column, values in (
        (Ticket.state, wanted.states),
        (Ticket.category, wanted.categories),
        (Ticket.type, wanted.types),
        (Ticket.team, wanted.teams),
        (Ticket.workflow, wanted.workflows),
    ):
        if values:
            conditions.append(column.in_(list(values)))
    for tag in wanted.tags:
        conditions.append(_lists(Ticket.tags, tag))
    if wanted.assignee_id is not None:
        conditions.append(Ticket.assignee_id == wanted.assignee_id)
    if wanted.unassigned:
        conditions.append(Ticket.assignee_id.is_null())
    if wanted.requester_id is not None:
        conditions.append(Ticket.requester_id == wanted.requester_id)
    if wanted.updated_since is not None:
        conditions.append(Ticket.updated_at >= wanted.updated_since)
    if wanted.due_since is not None:
        conditions.append(Ticket.next_due_at >= wanted.due_since)
    if wanted.due_until is not None:
        conditions.append(Ticket.next_due_at < wanted.due_until)
    if wanted.text:
        said = Message.select(Message.ticket_id).where(Message.body.contains(wanted.text))
        found = Ticket.title.contains(wanted.text) | Ticket.id.in_(said)
        for name, hiding in wanted.searched_fields.items():
            matches = member_text(Ticket.fields, name).contains(wanted.text)
            if hiding:
                # A field keeps its guard when the ticket's type changes.
                matches &= Ticket.type.not_in(list(hiding))
                for type_ in hiding:
                    matches &= ~_lists(Ticket.former_types, type_)
            found |= matches
        conditions.append(found)
    return conditions


def _lists(column: Any, text: str) -> Any:
    """The condition that a column's JSON list has a text; JSON lists differ by engine."""
    if database.is_postgres():
        return peewee.NodeList((column, peewee.SQL("@> %s::jsonb", (as_json([text]),))))
    opening, closing = (
        peewee.SQL("EXISTS (SELECT 1 FROM json_each("),
        peewee.SQL(") WHERE json_each.value = ?)", (text,)),
    )
    return peewee.NodeList((opening, column, closing))
