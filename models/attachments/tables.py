"""Tables of attachments."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class Attachment(Table):
    """A file of a message, or an upload without a message yet. `content_type` is the sender's claim.

    `part_id` is the provider's id of the part of the message (an album has several). `replaced_at`: an edit put another
    file in its place, and the file is part of an earlier version.
    """

    id = IdField(primary_key=True)
    ticket_id = IdField(null=True)
    message_id = IdField(null=True)
    position = peewee.IntegerField()
    filename = peewee.TextField()
    content_type = peewee.TextField()
    size_bytes = peewee.BigIntegerField()
    sha256 = peewee.TextField(null=True)
    inline = peewee.BooleanField()
    hidden = peewee.BooleanField()
    content_id = peewee.TextField(null=True)
    provider_channel = peewee.TextField(null=True)
    provider_account = peewee.TextField(null=True)
    provider_id = peewee.TextField(null=True)
    provider_key = peewee.TextField(null=True)
    state = peewee.TextField()
    reason = peewee.TextField(null=True)
    told_at = InstantField(null=True)
    created_at = InstantField()
    uploaded_by = peewee.TextField(null=True)
    part_id = peewee.TextField(null=True)
    replaced_at = InstantField(null=True)

    class Meta:
        table_name = "attachments"
