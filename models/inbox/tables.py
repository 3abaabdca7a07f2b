"""Tables of the inbox."""

from __future__ import annotations

import peewee

from models.kernel.database import IdField, InstantField, Table


class Inbox(Table):
    """One raw event."""

    id = IdField(primary_key=True)
    channel = peewee.TextField()
    account = peewee.TextField()
    event_key = peewee.TextField()
    content_type = peewee.TextField()
    envelope = peewee.JSONField()
    raw_bytes = peewee.BlobField(column_name="raw")  # `raw` is a method of every peewee model
    status = peewee.TextField()
    reason = peewee.TextField(null=True)
    ticket_id = IdField(null=True)
    message_id = IdField(null=True)
    request_id = peewee.TextField(null=True)
    received_at = InstantField()
    processed_at = InstantField(null=True)
    fetched = peewee.BlobField(null=True)
    released_by = peewee.TextField(null=True)

    class Meta:
        table_name = "inbox"
