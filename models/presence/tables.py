"""Tables of presence."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class Presence(Table):
    """A user who looks at a ticket or writes in it, until `expires_at`. `doing`: viewing or writing."""

    ticket_id = IdField()
    user_id = IdField()
    doing = peewee.TextField()
    expires_at = InstantField()

    class Meta:
        table_name = "presences"
        primary_key = peewee.CompositeKey("ticket_id", "user_id")
