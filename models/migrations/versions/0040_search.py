"""The search index: one document a ticket, and the tickets whose document must be written again.

SQLite's FTS5 table indexes the column `tokens` of the documents and stores no copy of it (SQLite manual, FTS5, 4.4.3);
triggers keep both equal. It splits at blanks only (`ascii` takes every other character as part of a token), because
the tokens are made by the program. PostgreSQL stores them as lexemes of a tsvector.

The document of a ticket is written after the ticket's events. Names and addresses of requesters change without an
event of the ticket, so triggers mark the tickets. Neither table refers to `tickets` by a foreign key: its lock on the
ticket's row would let messages wait for the index.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect

_DOCUMENTS = """CREATE TABLE search_documents (ticket_id {id} PRIMARY KEY, number bigint NOT NULL UNIQUE,
form integer NOT NULL, tokens %s NOT NULL, texts text NOT NULL, notes text NOT NULL, fields text NOT NULL,
names text NOT NULL, note_names text NOT NULL, indexed_at {instant} NOT NULL)"""
_PENDING = "CREATE TABLE search_pending (ticket_id {id} PRIMARY KEY, since {instant} NOT NULL)"
_FILL = "INSERT INTO search_pending (ticket_id, since) SELECT id, updated_at FROM tickets"
_MARK = """INSERT INTO search_pending (ticket_id, since) SELECT t.id, %s FROM tickets AS t WHERE %s
AND NOT EXISTS (SELECT 1 FROM search_pending AS p WHERE p.ticket_id = t.id)"""

# Event of a table -> the tickets whose documents hold its texts.
_SOURCES = (
    ("requesters_renamed", "UPDATE OF name ON requesters", "t.requester_id = new.id"),
    ("identities_added", "INSERT ON identities", "t.requester_id = new.requester_id"),
    ("identities_changed", "UPDATE ON identities", "t.requester_id IN (old.requester_id, new.requester_id)"),
    ("identities_removed", "DELETE ON identities", "t.requester_id = old.requester_id"),
    ("tickets_given", "UPDATE OF requester_id ON tickets", "t.id = new.id"),
)


def _postgres() -> list[str]:
    made = [
        _DOCUMENTS % "tsvector",
        # Every search reads the list of pending entries from end to end, so the list is short (PostgreSQL manual, GIN,
        # "Fast Update"). Without it a document is written four times as slowly.
        """CREATE INDEX search_documents_tokens ON search_documents USING gin (tokens)
        WITH (fastupdate = on, gin_pending_list_limit = 512)""",
        _PENDING,
        _FILL,
        *_postgres_trigger(
            "tickets_removed", "DELETE ON tickets", "DELETE FROM search_documents WHERE ticket_id = old.id"
        ),
    ]
    for name, event, tickets in _SOURCES:
        mark = f"{_MARK % ('now()', tickets)} ON CONFLICT (ticket_id) DO NOTHING"
        made += _postgres_trigger(name, event, mark)
    return made


def _postgres_trigger(name: str, event: str, statement: str) -> list[str]:
    return [
        f"CREATE FUNCTION search_{name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {statement}; RETURN NULL; END $$",
        f"CREATE TRIGGER search_{name} AFTER {event} FOR EACH ROW EXECUTE FUNCTION search_{name}()",
    ]


_REMOVED = "INSERT INTO search_tokens (search_tokens, rowid, tokens) VALUES ('delete', old.number, old.tokens)"
_ADDED = "INSERT INTO search_tokens (rowid, tokens) VALUES (new.number, new.tokens)"


def _sqlite() -> list[str]:
    return [
        _DOCUMENTS % "text",
        """CREATE VIRTUAL TABLE search_tokens USING fts5 (tokens, content='search_documents', content_rowid='number',
        detail=none, prefix='3', tokenize="ascii tokenchars ':~.=_@#+-'")""",
        _sqlite_trigger("documents_added", "INSERT ON search_documents", _ADDED),
        _sqlite_trigger("documents_removed", "DELETE ON search_documents", _REMOVED),
        _sqlite_trigger("documents_changed", "UPDATE ON search_documents", f"{_REMOVED}; {_ADDED}"),
        _PENDING,
        _FILL,
        _sqlite_trigger(
            "tickets_removed", "DELETE ON tickets", "DELETE FROM search_documents WHERE ticket_id = old.id"
        ),
        *(_sqlite_trigger(name, event, _MARK % ("t.updated_at", tickets)) for name, event, tickets in _SOURCES),
    ]


def _sqlite_trigger(name: str, event: str, statements: str) -> str:
    return f"CREATE TRIGGER search_{name} AFTER {event} BEGIN {statements}; END"


def statements(dialect: Dialect) -> list[str]:
    return _postgres() if dialect.postgres else _sqlite()
