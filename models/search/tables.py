"""Tables of the search index."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class TokensField(peewee.Field):
    """The tokens of a document: tsvector on PostgreSQL, text on SQLite, whose FTS5 table indexes it."""

    field_type = "TSVECTOR"


class SearchDocument(Table):
    """The searchable texts of one ticket. `form`: the rules by which its tokens were made."""

    ticket_id = IdField(primary_key=True)
    number = peewee.BigIntegerField()
    form = peewee.IntegerField()
    tokens = TokensField()
    texts = peewee.TextField()
    notes = peewee.TextField()
    fields = peewee.TextField()
    names = peewee.TextField()
    note_names = peewee.TextField()
    indexed_at = InstantField()

    class Meta:
        table_name = "search_documents"


class SearchPending(Table):
    """A ticket whose document is older than its rows."""

    ticket_id = IdField(primary_key=True)
    since = InstantField()

    class Meta:
        table_name = "search_pending"
