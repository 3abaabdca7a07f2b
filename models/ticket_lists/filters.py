"""The filters of ticket lists, and the conditions that they become in a composed query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import peewee

from models.conversations.tables import Message
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.kernel.storage.table import member_text
from models.tickets.tables import Ticket


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
    # Snoozed tickets and tickets in the bin: left out, alone, or among the others.
    snoozed: Literal["no", "only", "any"] = "no"
    bin: Literal["no", "deleted", "spam", "any"] = "no"


def conditions(wanted: TicketFilter) -> list[Any]:
    """Return the conditions of a filter over Ticket; a ticket of the list meets all of them."""
    found: list[Any] = []
    for column, values in (
        (Ticket.state, wanted.states),
        (Ticket.category, wanted.categories),
        (Ticket.type, wanted.types),
        (Ticket.team, wanted.teams),
        (Ticket.workflow, wanted.workflows),
    ):
        if values:
            found.append(column.in_(list(values)))
    if wanted.snoozed != "any":
        found.append(Ticket.snoozed_at.is_null(wanted.snoozed == "no"))
    if wanted.bin == "no":
        found.append(Ticket.binned_at.is_null())
    elif wanted.bin == "any":
        found.append(Ticket.binned_as.is_null() | (Ticket.binned_as != "purged"))
    else:
        found.append(Ticket.binned_as == wanted.bin)
    for tag in wanted.tags:
        found.append(_lists(Ticket.tags, tag))
    if wanted.assignee_id is not None:
        found.append(Ticket.assignee_id == wanted.assignee_id)
    if wanted.unassigned:
        found.append(Ticket.assignee_id.is_null())
    if wanted.requester_id is not None:
        found.append(Ticket.requester_id == wanted.requester_id)
    if wanted.updated_since is not None:
        found.append(Ticket.updated_at >= wanted.updated_since)
    if wanted.due_since is not None:
        found.append(Ticket.next_due_at >= wanted.due_since)
    if wanted.due_until is not None:
        found.append(Ticket.next_due_at < wanted.due_until)
    if wanted.text:
        said = Message.select(Message.ticket_id).where(Message.body.contains(wanted.text))
        matching = Ticket.title.contains(wanted.text) | Ticket.id.in_(said)
        for name, hiding in wanted.searched_fields.items():
            matches = member_text(Ticket.fields, name).contains(wanted.text)
            if hiding:
                # A field keeps its guard when the ticket's type changes.
                matches &= Ticket.type.not_in(list(hiding))
                for type_ in hiding:
                    matches &= ~_lists(Ticket.former_types, type_)
            matching |= matches
        found.append(matching)
    return found


def _lists(column: Any, text: str) -> Any:
    """The condition that a column's JSON list has a text; JSON lists differ by engine."""
    if database.is_postgres():
        return peewee.NodeList((column, peewee.SQL("@> %s::jsonb", (as_json([text]),))))
    opening, closing = (
        peewee.SQL("EXISTS (SELECT 1 FROM json_each("),
        peewee.SQL(") WHERE json_each.value = ?)", (text,)),
    )
    return peewee.NodeList((opening, column, closing))
