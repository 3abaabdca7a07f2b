"""Table of the bin."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, JsonField, Table


class TicketBin(Table):
    """A ticket in the bin. `waiting`: the payloads of its life cycle's tasks that came due, for its return."""

    ticket_id = IdField(primary_key=True)
    note = peewee.TextField(null=True)
    waiting = JsonField()

    class Meta:
        table_name = "ticket_bin"
