"""Tables of read marks."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class ReadMark(Table):
    """The reading of one user in one ticket. `read_until`: the time of the last message of the requester that the user
    read. `is_unread`: the user marked the ticket unread afterwards.
    """

    ticket_id = IdField()
    user_id = IdField()
    read_until = InstantField(null=True)
    is_unread = peewee.BooleanField(default=False)
    marked_at = InstantField()

    class Meta:
        table_name = "read_marks"
        primary_key = peewee.CompositeKey("ticket_id", "user_id")
