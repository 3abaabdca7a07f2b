"""Macros."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE macros (id {id} PRIMARY KEY, name text NOT NULL, folder text NOT NULL, scope text NOT NULL,
        user_id {id} REFERENCES users (id), team text REFERENCES teams (name), acts {json} NOT NULL,
        uses integer NOT NULL, last_used_at {instant}, version integer NOT NULL, created_at {instant} NOT NULL,
        updated_at {instant} NOT NULL)""",
        "CREATE INDEX macros_order ON macros (folder, name, id)",
        "CREATE INDEX macros_user ON macros (user_id) WHERE user_id IS NOT NULL",
    ]
