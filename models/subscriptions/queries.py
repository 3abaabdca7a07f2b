"""Queries for subscriptions, their deliveries and their attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import peewee

from models.events.tables import EventRow
from models.kernel import vault
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.table import RowView, for_update, newest_first
from models.subscriptions.row_types import OutgoingEvent, OutgoingMessageText, WebhookAttemptRow, WebhookDeliveryRow
from models.subscriptions.tables import Subscription as SubscriptionRow
from models.subscriptions.tables import WebhookAttempt, WebhookDelivery


@dataclass(frozen=True, slots=True)
class Subscription:
    """A receiver of events. `secret` and `previous_secret` sign the calls and stay out of list and read responses.

    The row holds them encrypted; `signing_secret` and `previous_signing_secret` decrypt them.
    """

    id: UUID
    url: str
    description: str
    event_types: list[str]
    include_bodies: bool
    state: str
    secret: str
    previous_secret: str | None
    previous_secret_until: datetime | None
    failures: int
    failing_since: datetime | None
    blocked_until: datetime | None
    switched_off_at: datetime | None
    switched_off_reason: str | None
    last_delivered_at: datetime | None
    created_by: str
    owner_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def active(self) -> bool:
        return self.state == "active"

    @property
    def signing_secret(self) -> str:
        """The signing secret. Raises ConfigurationError if this process lacks the key."""
        return _open(self.id, "secret", self.secret)

    @property
    def previous_signing_secret(self) -> str | None:
        """The secret before the last rotation. Raises ConfigurationError if this process lacks the key."""
        sealed = self.previous_secret
        return None if sealed is None else _open(self.id, "previous_secret", sealed)


def _open(subscription_id: UUID, column: str, value: str) -> str:
    """Decrypt a column. The value of an earlier release is plain text until `scripts.secrets rotate` has run."""
    if not vault.is_sealed(value):
        return value
    return vault.open(vault.purpose("subscriptions", column, subscription_id), value).decode()


_VIEW = RowView(Subscription, SubscriptionRow)
_KEPT = SubscriptionRow.state != "deleted"


def find(subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """Read a subscription, or return None if it is missing or deleted; `lock` locks its row."""
    query = SubscriptionRow.select(*_VIEW.fields).where(SubscriptionRow.id == subscription_id, _KEPT)
    return next(iter(_VIEW.all(for_update(query) if lock else query)), None)


def get(subscription_id: UUID, *, lock: bool = False) -> Subscription:
    """Read a subscription; `lock` locks its row. Raises NotFound."""
    found = find(subscription_id, lock=lock)
    if found is None:
        raise NotFound(f"there is no webhook {subscription_id}")
    return found


def of_owner(owner_id: UUID) -> list[Subscription]:
    """List the subscriptions of a user, oldest first."""
    query = SubscriptionRow.select(*_VIEW.fields).where(SubscriptionRow.owner_id == owner_id, _KEPT)
    return _VIEW.all(query.order_by(SubscriptionRow.created_at, SubscriptionRow.id))


def page(*, before: tuple[datetime, UUID] | None, limit: int) -> list[Subscription]:
    """List subscriptions, newest first."""
    query = SubscriptionRow.select(*_VIEW.fields).where(_KEPT)
    return _VIEW.all(newest_first(query, SubscriptionRow.created_at, SubscriptionRow.id, before=before, limit=limit))


def count() -> int:
    """Count the subscriptions that are not deleted."""
    return int(SubscriptionRow.select().where(_KEPT).count())


def noticed_by_all(at: datetime) -> bool:
    """Return True if a subscription is at least a minute old. Every process knows by then that subscriptions exist.

    The minute allows for differences between clocks.
    """
    old = SubscriptionRow.created_at < at - timedelta(seconds=60)
    return bool(SubscriptionRow.select().where(_KEPT, old).exists())


def troubled() -> list[Subscription]:
    """List the subscriptions that are switched off or are failing, which need attention."""
    is_failing = (SubscriptionRow.state == "active") & SubscriptionRow.failing_since.is_null(False)
    query = SubscriptionRow.select(*_VIEW.fields).where((SubscriptionRow.state == "switched_off") | is_failing)
    return _VIEW.all(query.order_by(SubscriptionRow.created_at))


def pending(subscription_id: UUID) -> int:
    """Count the pending deliveries of a subscription."""
    of_subscription = WebhookDelivery.subscription_id == subscription_id
    return int(WebhookDelivery.select().where(of_subscription, WebhookDelivery.state == "pending").count())


def _deliveries(subscription_id: UUID) -> Any:
    """Compose the subscription's deliveries with their events, which garbage collection may have deleted."""
    return (
        WebhookDelivery.select(
            WebhookDelivery.event_id,
            WebhookDelivery.state,
            WebhookDelivery.attempts,
            WebhookDelivery.last_status,
            WebhookDelivery.last_error,
            WebhookDelivery.created_at,
            WebhookDelivery.finished_at,
            EventRow.event_type,
            EventRow.occurred_at,
        )
        .join(EventRow, peewee.JOIN.LEFT_OUTER, on=(EventRow.event_id == WebhookDelivery.event_id))
        .where(WebhookDelivery.subscription_id == subscription_id)
    )


def delivery(subscription_id: UUID, event_id: UUID) -> WebhookDeliveryRow | None:
    """Read one delivery with its attempts, or return None."""
    query = _deliveries(subscription_id).where(WebhookDelivery.event_id == event_id)
    return next(iter(_with_attempts(subscription_id, query)), None)


def deliveries(
    subscription_id: UUID, *, state: str | None, before: UUID | None, limit: int
) -> list[WebhookDeliveryRow]:
    """List a subscription's deliveries with their attempts, newest event first."""
    query = _deliveries(subscription_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    if before is not None:
        query = query.where(WebhookDelivery.event_id < before)
    return _with_attempts(subscription_id, query.order_by(WebhookDelivery.event_id.desc()).limit(limit))


def _with_attempts(subscription_id: UUID, query: Any) -> list[WebhookDeliveryRow]:
    rows = database.rows_as(WebhookDeliveryRow, query)
    attempts: dict[UUID, list[WebhookAttemptRow]] = {}
    found = (
        WebhookAttempt.select(
            WebhookAttempt.event_id,
            WebhookAttempt.number,
            WebhookAttempt.started_at,
            WebhookAttempt.duration_ms,
            WebhookAttempt.status,
            WebhookAttempt.response,
            WebhookAttempt.error,
        )
        .where(WebhookAttempt.subscription_id == subscription_id)
        .where(WebhookAttempt.event_id.in_([row["event_id"] for row in rows]))
        .order_by(WebhookAttempt.number)
    )
    for one in database.rows_as(WebhookAttemptRow, found):
        attempts.setdefault(one["event_id"], []).append(one)
    return [{**row, "attempt_log": attempts.get(row["event_id"], [])} for row in rows]


def event(event_id: UUID) -> OutgoingEvent | None:
    """Read the fields of an event that a payload needs, or return None if the event was deleted."""
    row = database.one(
        "SELECT event_id, event_type, event_version, occurred_at, aggregate, aggregate_id, sequence, actor_kind,"
        " actor_id,"
        " request_id, payload FROM events WHERE event_id = :id",
        id=event_id,
    )
    if row is None:
        return None
    found = EventRow.converted(row)
    names = {"aggregate_id": str(found["aggregate_id"]), "event_id": str(found["event_id"])}
    return cast(OutgoingEvent, found | names)


def message(message_id: str) -> OutgoingMessageText | None:
    """Read the current version of the message that an event is about, or return None."""
    row = database.one(
        "SELECT id, direction, kind, author_name, subject, body FROM messages WHERE id = :id", id=message_id
    )
    return cast("OutgoingMessageText | None", row)
