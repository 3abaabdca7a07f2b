"""The table of the desk's own mails."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class DeskMail(Table):
    """A mail of the desk itself. `link_id` is the link in it; `facts` fills its text in."""

    id = IdField(primary_key=True)
    kind = peewee.TextField()
    user_id = IdField(null=True)
    address = peewee.TextField()
    name = peewee.TextField()
    locale = peewee.TextField()
    facts = JsonField()
    link_id = IdField(null=True)
    created_at = InstantField()
    expires_at = InstantField()
    sent_at = InstantField(null=True)
    error = peewee.TextField(null=True)

    class Meta:
        table_name = "desk_mails"
