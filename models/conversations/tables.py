"""Tables of conversations."""

from __future__ import annotations

import peewee

from models.kernel.database import IdField, InstantField, Table


class Messages(Table):
    """One utterance: inbound, outbound, or an internal note."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    sequence = peewee.IntegerField()
    direction = peewee.TextField()
    kind = peewee.TextField()
    author_kind = peewee.TextField()
    author_id = IdField(null=True)
    author_name = peewee.TextField()
    subject = peewee.TextField(null=True)
    body = peewee.TextField()
    body_full = peewee.TextField(null=True)
    body_format = peewee.TextField()
    body_html = peewee.TextField(null=True)
    channel = peewee.TextField()
    account = peewee.TextField(null=True)
    external_id = peewee.TextField(null=True)
    in_reply_to = peewee.TextField(null=True)
    automatic = peewee.TextField(null=True)
    attachments = peewee.JSONField()
    inbox_id = IdField(null=True)
    created_at = InstantField()
    edited_at = InstantField(null=True)
    details = peewee.JSONField()
    copies = peewee.JSONField()
    reactions = peewee.JSONField()
    verdict = peewee.TextField(null=True)
    body_html_remote = peewee.TextField(null=True)
    group_key = peewee.TextField(null=True)
    deleted_at = InstantField(null=True)

    class Meta:
        table_name = "messages"
