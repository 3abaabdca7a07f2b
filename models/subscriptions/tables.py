"""Tables of subscriptions."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Subscription(Table):
    """A receiver of events. `state`: active, paused, switched_off, deleted."""

    sealed = ("secret", "previous_secret")

    id = IdField(primary_key=True)
    url = peewee.TextField()
    description = peewee.TextField()
    event_types = JsonField()
    include_bodies = peewee.BooleanField()
    state = peewee.TextField()
    secret = peewee.TextField()
    previous_secret = peewee.TextField(null=True)
    previous_secret_until = InstantField(null=True)
    failures = peewee.IntegerField()
    failing_since = InstantField(null=True)
    blocked_until = InstantField(null=True)
    switched_off_at = InstantField(null=True)
    switched_off_reason = peewee.TextField(null=True)
    last_delivered_at = InstantField(null=True)
    created_by = peewee.TextField()
    # The user whose sight the receiver gets; None for a subscription of a time before owners, which sees all.
    owner_id = IdField(null=True)
    version = peewee.IntegerField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "subscriptions"


class SubscriptionEventType(Table):
    """An event type that a subscription receives; `*` means all types."""

    event_type = peewee.TextField()
    subscription_id = IdField()

    class Meta:
        table_name = "subscription_event_types"
        primary_key = peewee.CompositeKey("event_type", "subscription_id")


class WebhookDelivery(Table):
    """The delivery of one event to one subscription."""

    subscription_id = IdField()
    event_id = IdField()
    state = peewee.TextField()
    attempts = peewee.IntegerField()
    last_status = peewee.IntegerField(null=True)
    last_error = peewee.TextField(null=True)
    created_at = InstantField()
    finished_at = InstantField(null=True)

    class Meta:
        table_name = "webhook_deliveries"
        primary_key = peewee.CompositeKey("subscription_id", "event_id")


class WebhookAttempt(Table):
    """One call of a receiver."""

    id = IdField(primary_key=True)
    subscription_id = IdField()
    event_id = IdField()
    number = peewee.IntegerField()
    started_at = InstantField()
    duration_ms = peewee.IntegerField()
    status = peewee.IntegerField(null=True)
    response = peewee.TextField(null=True)
    error = peewee.TextField(null=True)

    class Meta:
        table_name = "webhook_attempts"
