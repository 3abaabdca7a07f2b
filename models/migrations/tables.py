"""Tables of migrations."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, Table


class SchemaMigration(Table):
    """One migration that this database has."""

    version = peewee.IntegerField(primary_key=True)
    name = peewee.TextField()
    min_program = peewee.IntegerField()
    applied_at = InstantField()

    class Meta:
        table_name = "schema_migrations"
