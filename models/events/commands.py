"""Append to the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from models.events.fan_out import fan_out
from models.kernel import trace
from models.kernel.batch import Batch
from models.kernel.ids import new_id

ActorKind = Literal["user", "api_key", "requester", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a user, an API key, a requester, or the desk itself (`id` is then the rule or actor that acted)."""

    kind: ActorKind
    id: str | None = None
    name: str = ""


SYSTEM = Actor("system", None, "Nestor")


def add(
    batch: Batch,
    event_type: str,
    *,
    aggregate: str,
    aggregate_id: UUID,
    sequence: int,
    actor: Actor,
    payload: Mapping[str, Any],
    at: datetime,
    causation_id: str | None = None,
) -> UUID:
    """Put an event (a past-tense type) into the batch; returns its id. The caller holds the aggregate's row.

    Who subscribed to it is told when the batch is written.
    """
    event_id = new_id()
    batch.before_write(fan_out)
    batch.insert(
        "events",
        {
            "event_id": event_id,
            "event_type": event_type,
            "occurred_at": at,
            "aggregate": aggregate,
            "aggregate_id": aggregate_id,
            "sequence": sequence,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "request_id": trace.current_request_id(),
            "causation_id": causation_id,
            "payload": dict(payload),
        },
    )
    return event_id
