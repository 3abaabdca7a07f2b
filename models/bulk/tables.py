"""Tables of bulk changes."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class BulkChange(Table):
    """One bulk change with its progress.

    `kind`: change, undo or tag. `selection`: the filter that chose the tickets, None for a list of ids. `undoes`: the
    bulk change that this one takes back; `undone_by`: the one that took this one back. `owner_id`: the user who started
    it, or the owner of the API key.
    """

    id = IdField(primary_key=True)
    kind = peewee.TextField()
    acts = JsonField()
    selection = JsonField(null=True)
    note = peewee.TextField(null=True)
    state = peewee.TextField()
    tickets = peewee.IntegerField()
    changed = peewee.IntegerField(default=0)
    unchanged = peewee.IntegerField(default=0)
    refused = peewee.IntegerField(default=0)
    failed = peewee.IntegerField(default=0)
    sends = peewee.IntegerField(default=0)
    undoes = IdField(null=True)
    undone_by = IdField(null=True)
    actor_kind = peewee.TextField()
    actor_id = peewee.TextField()
    actor_name = peewee.TextField()
    owner_id = IdField()
    started_at = InstantField()
    finished_at = InstantField(null=True)
    error = peewee.TextField(null=True)

    class Meta:
        table_name = "bulk_changes"


class BulkItem(Table):
    """One ticket of a bulk change. `outcome` is None until its turn: changed, unchanged, refused, failed, cancelled.

    `code` and `reasons`: of a refusal. `undo_id`: the undo of the ticket's change. `delivery_ids`: the sends that the
    change caused.
    """

    bulk_id = IdField()
    position = peewee.IntegerField()
    ticket_id = IdField()
    outcome = peewee.TextField(null=True)
    code = peewee.TextField(null=True)
    reasons = JsonField(null=True)
    undo_id = IdField(null=True)
    delivery_ids = JsonField(null=True)

    class Meta:
        table_name = "bulk_items"
        primary_key = peewee.CompositeKey("bulk_id", "position")
