"""Table of described tags."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, Table


class Tag(Table):
    """A tag with a description or a colour. A tag without either has no row."""

    name = peewee.TextField(primary_key=True)
    description = peewee.TextField(null=True)
    colour = peewee.TextField(null=True)
    updated_at = InstantField()

    class Meta:
        table_name = "tags"
