"""The rows that queries of the event log return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.open_json import JsonObject


class EventBrief(TypedDict):
    """An event without its place in a request."""

    event_id: UUID
    event_type: str
    occurred_at: datetime
    sequence: int
    payload: JsonObject


class AggregateEvent(EventBrief):
    """An event with its aggregate."""

    aggregate: str
    aggregate_id: UUID


class AuthoredEvent(EventBrief):
    """An event with its author."""

    actor_kind: str
    actor_id: str | None


class WholeEvent(AggregateEvent, AuthoredEvent):
    """An event with all columns."""

    event_version: int
    request_id: str | None
    causation_id: str | None


class LogEvent(WholeEvent):
    """An event that a consumer of the log reads. `log_position` is None for an event of an early release."""

    log_position: int | None
