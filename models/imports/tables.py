"""Tables of imports."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Import(Table):
    """One import with its progress. `position`: the records of the files that had their turn.

    `source`: the name of the system that the ids of the records belong to. `content`: the SHA-256 of the files, by
    which a command goes on with an import that was interrupted. `attachment_id`: the upload of an import by the API.
    """

    id = IdField(primary_key=True)
    source = peewee.TextField()
    format = peewee.TextField()
    dry_run = peewee.BooleanField()
    state = peewee.TextField()
    mapping = JsonField()
    content = peewee.TextField()
    attachment_id = IdField(null=True)
    position = peewee.IntegerField(default=0)
    taken = peewee.IntegerField(default=0)
    known = peewee.IntegerField(default=0)
    refused = peewee.IntegerField(default=0)
    problems = peewee.IntegerField(default=0)
    by_kind = JsonField()
    actor_kind = peewee.TextField()
    actor_id = peewee.TextField(null=True)
    owner_id = IdField(null=True)
    started_at = InstantField()
    finished_at = InstantField(null=True)
    error = peewee.TextField(null=True)

    class Meta:
        table_name = "imports"


class ImportProblem(Table):
    """A record, or a part of a record, that was not taken. `place`: the file and the line.

    `outcome`: refused (the whole record), or left_out (the part at `path`).
    """

    import_id = IdField()
    position = peewee.IntegerField()
    outcome = peewee.TextField()
    place = peewee.TextField()
    record = peewee.TextField()
    path = peewee.TextField()
    found = peewee.TextField()
    expected = peewee.TextField()

    class Meta:
        table_name = "import_problems"
        primary_key = peewee.CompositeKey("import_id", "position")


class ImportSource(Table):
    """The row that a record of a source became. `key`: a hash of the source's id, which can be an address."""

    source = peewee.TextField()
    kind = peewee.TextField()
    key = peewee.TextField()
    row_id = IdField()
    import_id = IdField()

    class Meta:
        table_name = "import_sources"
        primary_key = peewee.CompositeKey("source", "kind", "key")
