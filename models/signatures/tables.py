"""Table of signatures."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, JsonField, Table


class Signature(Table):
    """A signature. `owner_kind`: user (`owner` is the id) or team (`owner` is the name). `texts`: language -> text."""

    owner_kind = peewee.TextField()
    owner = peewee.TextField()
    texts = JsonField()
    body_format = peewee.TextField()
    version = peewee.IntegerField()
    updated_at = InstantField()

    class Meta:
        table_name = "signatures"
        primary_key = peewee.CompositeKey("owner_kind", "owner")
