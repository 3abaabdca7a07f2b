"""Table of acts that can be undone."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Undo(Table):
    """An act that can be undone until `expires_at`.

    `act`: the values that restore the state before it. `ticket_id`: the ticket that the act changed; `other_ticket_id`:
    a second one. `group_id`: the larger act that this one is a part of, such as a bulk change. `kept`: the values that
    the undo did not restore, because they changed after the act.
    """

    id = IdField(primary_key=True)
    kind = peewee.TextField()
    ticket_id = IdField(null=True)
    other_ticket_id = IdField(null=True)
    group_id = IdField(null=True)
    act = JsonField()
    actor_kind = peewee.TextField()
    actor_id = peewee.TextField(null=True)
    created_at = InstantField()
    expires_at = InstantField()
    undone_at = InstantField(null=True)
    undone_by = peewee.TextField(null=True)
    kept = JsonField()

    class Meta:
        table_name = "undos"
