"""Tables of deliveries."""

from __future__ import annotations

import peewee

from models.kernel.database import IdField, InstantField, Table


class Deliveries(Table):
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
    external_ids = peewee.JSONField()
    provider_id = peewee.TextField(null=True)
    receipt = peewee.TextField(null=True)
    receipt_at = InstantField(null=True)
    receipt_detail = peewee.TextField(null=True)

    class Meta:
        table_name = "deliveries"


class DeliveryAttempts(Table):
    """One try."""

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
