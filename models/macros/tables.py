"""Table of macros."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Macro(Table):
    """A macro. `scope`: own, team or all. `acts`: as `acts.MacroAct` encodes them. `definition`: the published set that
    it comes from; NULL: a person wrote it.
    """

    id = IdField(primary_key=True)
    name = peewee.TextField()
    folder = peewee.TextField()
    scope = peewee.TextField()
    user_id = IdField(null=True)
    team = peewee.TextField(null=True)
    acts = JsonField()
    definition = peewee.TextField(null=True)
    uses = peewee.IntegerField(default=0)
    last_used_at = InstantField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "macros"
