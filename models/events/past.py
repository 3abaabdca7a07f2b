"""Events of the past: an import writes the history of a ticket with the instants at which it happened.

The consumers of the log read these events like others, by their place in the log. No subscription receives them:
a program that is called for each event would take a history of years for the work of today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.events.commands import Actor
from models.events.following import notices
from models.events.payload import EventPayload, as_mapping, type_of
from models.events.tables import EventRow
from models.kernel.ids import new_id
from models.kernel.storage.batch import Batch


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event with the instant at which it happened."""

    at: datetime
    payload: EventPayload
    actor: Actor


def write(aggregate: str, aggregate_id: UUID, happened: Sequence[PastEvent], *, causation_id: str) -> None:
    """Write the first events of an aggregate, in their order. Joins the caller's transaction."""
    rows = [
        {
            "event_id": new_id(),
            "event_type": type_of(type(one.payload)),
            "event_version": one.payload.version,
            "occurred_at": one.at,
            "aggregate": aggregate,
            "aggregate_id": aggregate_id,
            "sequence": sequence,
            "actor_kind": one.actor.kind,
            "actor_id": one.actor.id,
            "causation_id": causation_id,
            "payload": as_mapping(one.payload),
        }
        for sequence, one in enumerate(happened, start=1)
    ]
    for start in range(0, len(rows), _rows_max):
        EventRow.insert_many(rows[start : start + _rows_max]).execute()
    notices.after_commit(Batch())


_rows_max = 500  # of one statement: 11 parameters each, and SQLite takes 32,766
