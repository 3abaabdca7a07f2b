"""Tables of tickets."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import peewee

from models.kernel.batch import from_json
from models.kernel.database import IdField, InstantField, Table, instant


class Tickets(Table):
    """For composed reading (lists, filters); writing goes through TicketChange."""

    id = IdField(primary_key=True)
    number = peewee.BigIntegerField()
    title = peewee.TextField()
    type = peewee.TextField()
    priority = peewee.TextField()
    state = peewee.TextField()
    category = peewee.TextField()
    workflow = peewee.TextField()
    workflow_version = peewee.IntegerField()
    requester_id = IdField(null=True)
    assignee_id = IdField(null=True)
    channel = peewee.TextField()
    account = peewee.TextField(null=True)
    contact_channel = peewee.TextField(null=True)
    contact_account = peewee.TextField(null=True)
    contact_address = peewee.TextField(null=True)
    fields = peewee.JSONField()
    version = peewee.IntegerField()
    event_sequence = peewee.IntegerField()
    message_count = peewee.IntegerField()
    created_at = InstantField()
    updated_at = InstantField()
    first_response_at = InstantField(null=True)
    solved_at = InstantField(null=True)
    closed_at = InstantField(null=True)
    last_message_at = InstantField(null=True)
    team = peewee.TextField(null=True)
    tags = peewee.JSONField()
    state_since = InstantField(null=True)
    reply_token = peewee.TextField(null=True)

    class Meta:
        table_name = "tickets"


@dataclass(slots=True)
class Ticket:
    """One ticket as read from its row. Changing an attribute writes nothing; TicketChange does."""

    id: UUID
    number: int
    title: str
    type: str
    priority: str
    state: str
    category: str
    workflow: str
    workflow_version: int
    requester_id: UUID | None
    assignee_id: UUID | None
    channel: str
    account: str | None
    contact_channel: str | None
    contact_account: str | None
    contact_address: str | None
    created_at: datetime
    updated_at: datetime
    fields: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    event_sequence: int = 0
    message_count: int = 0
    first_response_at: datetime | None = None
    solved_at: datetime | None = None
    closed_at: datetime | None = None
    last_message_at: datetime | None = None
    team: str | None = None
    tags: list[str] = field(default_factory=list)
    state_since: datetime | None = None
    reply_token: str | None = None
    # Not a column: known to who found or made the requester a moment ago, so that an answer need not read it again.
    requester_name: str | None = field(default=None, compare=False, metadata={"column": False})

    def row(self) -> dict[str, Any]:
        """All columns, for an insert."""
        return {name: getattr(self, name) for name in COLUMNS}


COLUMNS: tuple[str, ...] = tuple(spec.name for spec in fields(Ticket) if spec.metadata.get("column", True))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM tickets"
_IDS = ("id", "requester_id", "assignee_id")
_INSTANTS = (*(name for name in COLUMNS if name.endswith("_at")), "state_since")


def ticket_from(row: dict[str, Any]) -> Ticket:
    """A ticket from a row as either engine returns it."""
    values = dict(row)
    for name in _IDS:
        if isinstance(values[name], str):
            values[name] = UUID(values[name])
    for name in _INSTANTS:
        values[name] = instant(values[name])
    values["fields"], values["tags"] = from_json(values["fields"]), from_json(values["tags"])
    return Ticket(**values)
