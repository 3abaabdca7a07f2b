"""Tables of the staff chat."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class StaffTopic(Table):
    """A ticket's topic in a staff group, and the number of the last event that was posted there."""

    channel = peewee.TextField()
    account = peewee.TextField()
    ticket_id = IdField()
    address = peewee.TextField()
    told_sequence = peewee.IntegerField()
    telling_sequence = peewee.IntegerField()
    closed = peewee.BooleanField()
    created_at = InstantField()

    class Meta:
        table_name = "staff_topics"
        primary_key = peewee.CompositeKey("channel", "account", "ticket_id")
