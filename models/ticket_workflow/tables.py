"""Tables of sla."""

from __future__ import annotations

import peewee

from models.kernel.table import IdField, InstantField, JsonField, Table


class SlaClock(Table):
    """One promise of a ticket. The due instants are columns, so that a list can be sorted by them."""

    ticket_id = IdField()
    target = peewee.TextField()
    policy = peewee.TextField()
    state = peewee.TextField()
    due_at = InstantField(null=True)
    warn_at = InstantField(null=True)
    breached_at = InstantField(null=True)
    met_at = InstantField(null=True)
    clock = JsonField()

    class Meta:
        table_name = "sla_clocks"
        primary_key = peewee.CompositeKey("ticket_id", "target")
