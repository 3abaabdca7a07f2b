"""Append to the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from models.events.fan_out import fan_out
from models.events.payload import EventPayload, as_mapping, type_of
from models.kernel import trace
from models.kernel.batch import Batch
from models.kernel.ids import new_id

ActorKind = Literal["user", "api_key", "requester", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of an event: a user, an API key, a requester, or the desk itself (`id` is then the rule or actor that
    acted).
    """

    kind: ActorKind
    id: str | None = None
    name: str = ""


SYSTEM = Actor("system", None, "Nestor")
NOTHING: Final[Mapping[str, Any]] = {}


def add(
    batch: Batch,
    event: EventPayload | str,
    *,
    aggregate: str,
    aggregate_id: UUID,
    sequence: int,
    actor: Actor,
    payload: Mapping[str, Any] = NOTHING,
    at: datetime,
    causation_id: str | None = None,
) -> UUID:
    """Put an event into the batch; returns its id. The caller holds the aggregate's row.

    `event` is a payload, whose class names the type, and `payload` then adds the rule that caused it; or `event` is the
    type's name. Writing the batch makes the deliveries of subscriptions.
    """
    if isinstance(event, EventPayload):
        event_type, payload = type_of(type(event)), as_mapping(event) | dict(payload)
    else:
        event_type = event
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
