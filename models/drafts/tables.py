"""Table of drafts."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Draft(Table):
    """The text that a user has written in a ticket and not sent. `seen_message_id`: the newest message that
    they saw.
    """

    ticket_id = IdField()
    user_id = IdField()
    kind = peewee.TextField()
    body = peewee.TextField()
    body_format = peewee.TextField()
    recipient = peewee.TextField(null=True)
    copies = JsonField(null=True)
    attachments = JsonField()
    seen_message_id = IdField(null=True)
    version = peewee.IntegerField()
    updated_at = InstantField()

    class Meta:
        table_name = "drafts"
        primary_key = peewee.CompositeKey("ticket_id", "user_id")
