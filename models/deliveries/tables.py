"""Tables of deliveries."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Delivery(Table):
    """One message on its way to one address."""

    id = IdField(primary_key=True)
    message_id = IdField()
    ticket_id = IdField()
    channel = peewee.TextField()
    account = peewee.TextField()
    address = peewee.TextField()
    state = peewee.TextField()
    automatic = peewee.BooleanField()
    attempts = peewee.IntegerField()
    external_id = peewee.TextField(null=True)
    last_error = peewee.TextField(null=True)
    created_at = InstantField()
    finished_at = InstantField(null=True)
    send_at = InstantField(null=True)
    operation = peewee.TextField()
    external_ids = JsonField()
    provider_id = peewee.TextField(null=True)
    receipt = peewee.TextField(null=True)
    receipt_at = InstantField(null=True)
    receipt_detail = peewee.TextField(null=True)

    class Meta:
        table_name = "deliveries"


class DeliveryAttempt(Table):
    """One call of a provider for a delivery."""

    id = IdField(primary_key=True)
    delivery_id = IdField()
    number = peewee.IntegerField()
    state = peewee.TextField()
    started_at = InstantField()
    finished_at = InstantField(null=True)
    duration_ms = peewee.IntegerField(null=True)
    outcome = peewee.TextField(null=True)
    detail = peewee.TextField(null=True)
    external_id = peewee.TextField(null=True)
    possibly_duplicate = peewee.BooleanField()
    task_id = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "delivery_attempts"


class Button(Table):
    """A button under a message. The token is kept as a hash only."""

    token_hash = peewee.TextField(primary_key=True)
    ticket_id = IdField()
    kind = peewee.TextField()
    target = peewee.TextField()
    requester_id = IdField(null=True)
    created_at = InstantField()
    expires_at = InstantField()
    pressed_at = InstantField(null=True)

    class Meta:
        table_name = "buttons"
