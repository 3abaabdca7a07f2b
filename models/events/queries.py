"""Read the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast
from uuid import UUID

from models.events.row_types import AggregateEvent, AuthoredEvent, WholeEvent
from models.events.tables import EventRow
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database

_WHOLE = (
    EventRow.event_id,
    EventRow.event_type,
    EventRow.event_version,
    EventRow.occurred_at,
    EventRow.aggregate,
    EventRow.aggregate_id,
    EventRow.sequence,
    EventRow.actor_kind,
    EventRow.actor_id,
    EventRow.request_id,
    EventRow.causation_id,
    EventRow.payload,
)


def payload_of(event_id: UUID) -> JsonObject:
    """Return the payload of an event; empty when there is no such event."""
    row = database.one("SELECT payload FROM events WHERE event_id = :id", id=event_id)
    return dict(EventRow.converted(row)["payload"]) if row is not None else {}


def get(event_id: UUID) -> AggregateEvent:
    """Return an event. Raises NotFound."""
    row = database.one(
        "SELECT event_id, event_type, occurred_at, aggregate, aggregate_id, sequence, payload FROM events WHERE"
        " event_id = :id",
        id=event_id,
    )
    if row is None:
        raise NotFound(f"there is no event {event_id}")
    return cast(AggregateEvent, EventRow.converted(row))


def authored(event_id: UUID) -> AuthoredEvent:
    """Return an event with its author. Raises NotFound."""
    row = database.one(
        "SELECT event_id, event_type, occurred_at, sequence, actor_kind, actor_id, payload FROM events WHERE"
        " event_id = :id",
        id=event_id,
    )
    if row is None:
        raise NotFound(f"there is no event {event_id}")
    return cast(AuthoredEvent, EventRow.converted(row))


def last_of(aggregate: str, aggregate_id: UUID, event_type: str) -> AuthoredEvent | None:
    """Return the newest event of a type, or None."""
    row = database.one(
        "SELECT event_id, event_type, occurred_at, sequence, actor_kind, actor_id, payload FROM events WHERE"
        " aggregate = :aggregate"
        " AND aggregate_id = :id AND event_type = :type ORDER BY sequence DESC LIMIT 1",
        aggregate=aggregate,
        id=aggregate_id,
        type=event_type,
    )
    return None if row is None else cast(AuthoredEvent, EventRow.converted(row))


def of_aggregate(aggregate: str, aggregate_id: UUID, *, after_sequence: int = 0, limit: int = 200) -> list[WholeEvent]:
    """Return the events of one aggregate in order, after a sequence number."""
    rows = database.run(
        "SELECT event_id, event_type, event_version, occurred_at, aggregate, aggregate_id, sequence, actor_kind,"
        " actor_id,"
        " request_id, causation_id, payload FROM events WHERE aggregate = :aggregate AND aggregate_id = :id"
        " AND sequence > :after ORDER BY sequence LIMIT :limit",
        aggregate=aggregate,
        id=aggregate_id,
        after=after_sequence,
        limit=limit,
    )
    return [cast(WholeEvent, EventRow.converted(row)) for row in rows]


def latest_of(aggregate: str, aggregate_id: UUID, *, types: Collection[str], limit: int) -> list[WholeEvent]:
    """Return the last events of these types of one aggregate, in order."""
    query = (
        EventRow.select(*_WHOLE)
        .where((EventRow.aggregate == aggregate) & (EventRow.aggregate_id == aggregate_id))
        .where(EventRow.event_type.in_(sorted(types)))
        .order_by(EventRow.sequence.desc())
        .limit(limit)
    )
    return database.rows_as(WholeEvent, query)[::-1]
