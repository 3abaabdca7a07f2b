"""Append to the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from models.events.fan_out import fan_out
from models.events.following import notices
from models.events.payload import Cause, EventPayload, as_mapping, type_of
from models.kernel.ids import new_id
from models.kernel.storage.batch import Batch
from models.kernel.telemetry import trace

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


def add(
    batch: Batch,
    event: EventPayload,
    *,
    aggregate: str,
    aggregate_id: UUID,
    sequence: int,
    actor: Actor,
    cause: Cause | None = None,
    at: datetime,
    causation_id: str | None = None,
) -> UUID:
    """Put an event into the batch; returns its id. The caller holds the aggregate's row.

    The class of `event` names the type; `cause` is the rule that caused it, if one did. Writing the batch makes the
    deliveries of subscriptions, and its commit wakes the consumers of the log.
    """
    payload = as_mapping(event)
    if cause is not None:
        payload |= as_mapping(cause)
    event_id = new_id()
    batch.before_write(fan_out)
    batch.before_write(notices.after_commit)
    batch.insert(
        "events",
        {
            "event_id": event_id,
            "event_type": type_of(type(event)),
            "occurred_at": at,
            "aggregate": aggregate,
            "aggregate_id": aggregate_id,
            "sequence": sequence,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "request_id": trace.current_request_id(),
            "causation_id": causation_id,
            "payload": payload,
        },
    )
    return event_id
