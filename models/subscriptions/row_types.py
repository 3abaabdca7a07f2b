"""The rows that queries of subscriptions return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.open_json import JsonObject


class WebhookAttemptRow(TypedDict):
    """One call of a receiver."""

    event_id: UUID
    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    response: str | None
    error: str | None


class WebhookDeliveryRow(TypedDict):
    """A delivery of an event to a subscription, with its attempts.

    The event's type and time are None after the event was deleted.
    """

    event_id: UUID
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    event_type: str | None
    occurred_at: datetime | None
    attempt_log: list[WebhookAttemptRow]


class OutgoingEvent(TypedDict):
    """The columns of an event that the body of a call contains."""

    event_id: str
    event_type: str
    event_version: int
    occurred_at: datetime
    aggregate: str
    aggregate_id: str
    sequence: int
    actor_kind: str
    actor_id: str | None
    request_id: str | None
    payload: JsonObject


class OutgoingMessageText(TypedDict):
    """The columns of a message that the body of a call contains."""

    id: str
    direction: str
    kind: str
    author_name: str
    subject: str | None
    body: str
