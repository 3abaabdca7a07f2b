"""Tables of the bin and of the time spent."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class TicketBin(Table):
    """A ticket in the bin. `waiting`: the payloads of its life cycle's tasks that came due, for its return."""

    ticket_id = IdField(primary_key=True)
    note = peewee.TextField(null=True)
    waiting = JsonField()

    class Meta:
        table_name = "ticket_bin"


class TimeEntry(Table):
    """The minutes that a user spent on a ticket. `tickets.minutes_spent` is the sum of a ticket."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    user_id = IdField()
    minutes = peewee.IntegerField()
    note = peewee.TextField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "time_entries"
