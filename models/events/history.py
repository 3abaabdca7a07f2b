"""Number and write the events of users, roles, API keys, webhooks, shared views, requesters and organisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from models.events import audit_trail
from models.events import commands as events
from models.events.commands import Actor
from models.events.payload import EventPayload
from models.kernel.storage import database
from models.kernel.storage.batch import Batch

Aggregate: TypeAlias = Literal["user", "role", "api_key", "webhook", "account", "view", "requester", "organisation"]


def next_sequence(aggregate: Aggregate, aggregate_id: UUID) -> int:
    """Return the number of the aggregate's next event. The caller's lock of the aggregate's row keeps it unique."""
    row = database.one(
        "SELECT max(sequence) AS sequence FROM events WHERE aggregate = :aggregate AND aggregate_id = :id",
        aggregate=aggregate,
        id=aggregate_id,
    )
    return 1 + int((row and row["sequence"]) or 0)


def append(
    aggregate: Aggregate,
    aggregate_id: UUID,
    happened: Sequence[EventPayload],
    *,
    actor: Actor,
    at: datetime,
    with_rows: Batch | None = None,
    is_audited: bool = True,
) -> None:
    """Write events in their order, and the rows of the batch, in one statement; then their audit entries.

    The caller holds the aggregate's row. `is_audited` is False if the caller records the audit entries itself.
    """
    batch = Batch() if with_rows is None else with_rows
    first = next_sequence(aggregate, aggregate_id)
    for sequence, payload in enumerate(happened, start=first):
        events.add(
            batch,
            payload,
            aggregate=aggregate,
            aggregate_id=aggregate_id,
            sequence=sequence,
            actor=actor,
            at=at,
        )
    batch.write()
    for payload in happened if is_audited else ():
        audit_trail.record(aggregate, aggregate_id, payload, actor=actor)


def take_back(aggregate: Aggregate, aggregate_id: UUID) -> None:
    """Delete the events of an aggregate that the caller's own transaction created and does not keep.

    A task that delivers one to a subscription finds no delivery, and ends.
    """
    database.execute(
        "DELETE FROM webhook_deliveries WHERE event_id IN"
        " (SELECT event_id FROM events WHERE aggregate = :aggregate AND aggregate_id = :id)",
        aggregate=aggregate,
        id=aggregate_id,
    )
    database.execute(
        "DELETE FROM events WHERE aggregate = :aggregate AND aggregate_id = :id", aggregate=aggregate, id=aggregate_id
    )
