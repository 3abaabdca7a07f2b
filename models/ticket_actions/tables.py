"""Tables of ticket actions."""

from __future__ import annotations

import peewee

from models.kernel.table import IdField, InstantField, Table


class Rating(Table):
    """A requester's rating. The token is kept as a hash only."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    token_hash = peewee.TextField()
    score = peewee.IntegerField(null=True)
    comment = peewee.TextField(null=True)
    asked_at = InstantField()
    rated_at = InstantField(null=True)

    class Meta:
        table_name = "ratings"
