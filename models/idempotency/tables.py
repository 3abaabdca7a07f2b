"""Tables of idempotency."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, JsonField, Table


class IdempotencyKey(Table):
    """The answer that a request with this key got."""

    principal = peewee.TextField()
    key = peewee.TextField()
    request_hash = peewee.TextField()
    status = peewee.IntegerField()
    headers = JsonField()
    body = peewee.TextField()
    created_at = InstantField()

    class Meta:
        table_name = "idempotency_keys"
        primary_key = peewee.CompositeKey("principal", "key")
