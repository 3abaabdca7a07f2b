"""The table of views."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class TicketView(Table):
    """A saved view. `scope`: own (has an owner), team (has a team) or all. `filter`: the words of FilterWords."""

    id = IdField(primary_key=True)
    name = peewee.TextField()
    scope = peewee.TextField()
    owner_id = IdField(null=True)
    team = peewee.TextField(null=True)
    filter = JsonField()
    columns_shown = JsonField()
    sort = peewee.TextField()
    position = peewee.IntegerField()
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "ticket_views"
