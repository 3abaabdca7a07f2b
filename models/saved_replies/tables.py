"""Table of saved replies."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class SavedReply(Table):
    """A saved reply. `scope`: own, team or all. `texts`: language -> text. `shortcut`: the word by which it
    is found. `definition`: the published set that it comes from; NULL: a person wrote it.
    """

    id = IdField(primary_key=True)
    name = peewee.TextField()
    folder = peewee.TextField()
    shortcut = peewee.TextField(null=True)
    scope = peewee.TextField()
    user_id = IdField(null=True)
    team = peewee.TextField(null=True)
    texts = JsonField()
    body_format = peewee.TextField()
    definition = peewee.TextField(null=True)
    uses = peewee.IntegerField(default=0)
    last_used_at = InstantField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "saved_replies"
