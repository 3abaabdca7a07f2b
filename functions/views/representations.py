"""Resources as JSON: their types, and their conversion from rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from models.deliveries.row_types import DeliveryWithAttempts
from models.kernel.open_json import JsonObject
from models.tickets.tables import Ticket as TicketRow


class Person(msgspec.Struct):
    """The id and name of a requester or user."""

    id: UUID
    name: str


class Assignee(msgspec.Struct):
    """The user who is responsible for a ticket. `away_until`: the end of the absence of a user who is away."""

    id: UUID
    name: str
    away_until: datetime | None


Absences = Mapping[UUID, tuple[str, datetime | None]]  # id of a user -> name, and the end of the absence


class Ticket(msgspec.Struct):
    """A ticket. `author_grade`: how well the author of its first mail is known (proved, unjudged, unproved); null where
    the channel itself identifies its people. `next_due_at`: the earliest due instant of its running promises.
    `unanswered_since`: the first message of the requester that nobody answered.

    A snoozed ticket has `snoozed_at`; without `snoozed_until` it is snoozed until the requester writes. `woken_at`: the
    end of the last snooze, until a person changes the ticket. A ticket in the bin has `binned_at`, and `binned_as` is
    `deleted`, `spam` or `purged`. `minutes_spent`: the sum of its time entries.
    `merged_into`: the ticket that this one was merged into.
    """

    id: UUID
    number: int
    title: str
    type: str
    priority: str
    state: str
    category: str
    workflow: str
    workflow_version: int
    requester: Person | None
    assignee: Assignee | None
    channel: str
    account: str | None
    fields: JsonObject
    version: int
    message_count: int
    created_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    last_message_at: datetime | None
    team: str | None
    tags: list[str]
    state_since: datetime | None
    author_grade: str | None
    next_due_at: datetime | None
    snoozed_at: datetime | None
    snoozed_until: datetime | None
    snooze_note: str | None
    woken_at: datetime | None
    binned_at: datetime | None
    binned_as: str | None
    minutes_spent: int
    merged_into: UUID | None
    unanswered_since: datetime | None


class Attempt(msgspec.Struct):
    """One attempt at a delivery."""

    number: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    outcome: str | None
    detail: str | None
    external_id: str | None
    possibly_duplicate: bool


class Delivery(msgspec.Struct):
    """The delivery of a message to one address, with every attempt. `operation` is send, edit or delete.

    `receipt` is the provider's later report (delivered, bounced, complained, opened and others).
    """

    id: UUID
    message_id: UUID
    ticket_id: UUID
    channel: str
    account: str
    address: str
    state: str
    automatic: bool
    attempts: int
    external_id: str | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    send_at: datetime | None
    operation: str
    receipt: str | None
    receipt_at: datetime | None
    receipt_detail: str | None
    attempt_log: list[Attempt]


class DeliveryPage(msgspec.Struct):
    """A page of deliveries."""

    items: list[Delivery]
    next_cursor: str | None


class InboxEvent(msgspec.Struct):
    """An inbound event of a provider: stored, processed, ignored or failed, with the reason."""

    id: UUID
    channel: str
    account: str
    event_key: str
    content_type: str
    status: str
    reason: str | None
    ticket_id: UUID | None
    message_id: UUID | None
    received_at: datetime
    processed_at: datetime | None


class InboxPage(msgspec.Struct):
    """A page of inbound events."""

    items: list[InboxEvent]
    next_cursor: str | None


class Event(msgspec.Struct):
    """An event of an aggregate, such as a ticket."""

    event_id: UUID
    event_type: str
    event_version: int
    occurred_at: datetime
    aggregate: str
    aggregate_id: UUID
    sequence: int
    actor_kind: str
    actor_id: str | None
    request_id: str | None
    causation_id: str | None
    payload: JsonObject


class EventPage(msgspec.Struct):
    """A page of events."""

    items: list[Event]
    next_cursor: str | None


class Task(msgspec.Struct):
    """A background task of the desk."""

    id: int
    kind: str
    queue: str
    key: str | None
    payload: JsonObject
    state: str
    attempts: int
    due_at: datetime
    last_error: str | None
    caused_by: str | None
    created_at: datetime
    first_run_at: datetime | None
    finished_at: datetime | None


class TaskPage(msgspec.Struct):
    """A page of tasks."""

    items: list[Task]
    next_cursor: str | None


def tickets(rows: Sequence[TicketRow], *, role: str) -> list[Ticket]:
    """Tickets with the names of their people, and the fields that the role can see; at most two statements."""
    from models.visibility import seen

    requesters, users = _names(rows)
    shown = [_ticket(row, requesters, users) for row in rows]
    for ticket, row in zip(shown, rows, strict=True):
        ticket.fields = seen.fields(row, role)
    return shown


def _names(rows: Sequence[TicketRow]) -> tuple[dict[UUID, str], Absences]:
    """The names of the requesters that the rows do not name, and of the assignees with their absences."""
    from models.requesters import queries as requesters
    from models.teams import availability

    requester_ids = {row.requester_id for row in rows if row.requester_name is None and row.requester_id is not None}
    assignee_ids = {row.assignee_id for row in rows if row.assignee_id is not None}
    return (
        requesters.names_of(requester_ids) if requester_ids else {},
        availability.names_and_absences(assignee_ids) if assignee_ids else {},
    )


def _ticket(row: TicketRow, requesters: dict[UUID, str], users: Absences) -> Ticket:
    requester = None
    if row.requester_id is not None:
        name = row.requester_name
        requester = Person(row.requester_id, requesters.get(row.requester_id, "") if name is None else name)
    assignee = Assignee(row.assignee_id, *users.get(row.assignee_id, ("", None))) if row.assignee_id else None
    copied = {f: getattr(row, f) for f in Ticket.__struct_fields__ if f not in ("requester", "assignee")}
    return Ticket(requester=requester, assignee=assignee, **copied)


def delivery(row: DeliveryWithAttempts) -> Delivery:
    """A delivery from its row, with attempts."""
    attempts = [copied(Attempt, attempt) for attempt in row["attempt_log"]]
    return Delivery(attempt_log=attempts, **same_names(Delivery, row, but={"attempt_log"}))


def copied(kind: type[Any], row: Mapping[str, Any]) -> Any:
    """A Struct whose fields are the row's columns of the same names."""
    return kind(**same_names(kind, row))


def same_names(kind: type[Any], row: Mapping[str, Any], *, but: Collection[str] = ()) -> JsonObject:
    """The row's columns that have the names of the Struct's fields, except the names in `but`."""
    return {name: row[name] for name in kind.__struct_fields__ if name not in but}


def etag(version: int) -> dict[str, str]:
    """The ETag header of a version."""
    return {"ETag": f'"{version}"'}
