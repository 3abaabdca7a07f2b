"""Tables of definitions."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Definition(Table):
    """One published version of a YAML file. Rows never change. `origin`: files or api."""

    kind = peewee.TextField()
    name = peewee.TextField()
    version = peewee.IntegerField()
    body = JsonField()
    source = peewee.TextField()
    sha256 = peewee.TextField()
    published_at = InstantField()
    published_by = peewee.TextField()
    origin = peewee.TextField(default="files")

    class Meta:
        table_name = "definitions"
        primary_key = peewee.CompositeKey("kind", "name", "version")


class DefinitionActivation(Table):
    """An activation of a version, and who made it. The one with the highest serial is in force; version 0
    takes the definition out of force.
    """

    serial = peewee.BigAutoField()
    id = IdField()
    kind = peewee.TextField()
    name = peewee.TextField()
    version = peewee.IntegerField()
    activated_at = InstantField()
    activated_by = peewee.TextField()
    reason = peewee.TextField()

    class Meta:
        table_name = "definition_activations"
