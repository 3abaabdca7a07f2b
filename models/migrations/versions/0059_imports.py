"""Imports, their problems, and the rows that records of other systems became."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE imports (id {id} PRIMARY KEY, source text NOT NULL, format text NOT NULL,
            dry_run {bool} NOT NULL, state text NOT NULL, mapping {json} NOT NULL, content text NOT NULL,
            attachment_id {id}, position integer NOT NULL DEFAULT 0, taken integer NOT NULL DEFAULT 0,
            known integer NOT NULL DEFAULT 0, refused integer NOT NULL DEFAULT 0, problems integer NOT NULL DEFAULT 0,
            by_kind {json} NOT NULL, actor_kind text NOT NULL, actor_id text, owner_id {id},
            started_at {instant} NOT NULL, finished_at {instant}, error text)""",
        """CREATE TABLE import_problems (import_id {id} NOT NULL REFERENCES imports (id), position integer NOT NULL,
            outcome text NOT NULL, place text NOT NULL, record text NOT NULL, path text NOT NULL, found text NOT NULL,
            expected text NOT NULL, PRIMARY KEY (import_id, position))""",
        """CREATE TABLE import_sources (source text NOT NULL, kind text NOT NULL, key text NOT NULL,
            row_id {id} NOT NULL, import_id {id} NOT NULL, PRIMARY KEY (source, kind, key))""",
        "CREATE INDEX import_sources_import ON import_sources (import_id)",
    ]
