"""Saved replies."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE saved_replies (id {id} PRIMARY KEY, name text NOT NULL, folder text NOT NULL, shortcut text,
        scope text NOT NULL, user_id {id} REFERENCES users (id), team text REFERENCES teams (name),
        texts {json} NOT NULL, body_format text NOT NULL, uses integer NOT NULL, last_used_at {instant},
        version integer NOT NULL, created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
        "CREATE INDEX saved_replies_order ON saved_replies (folder, name, id)",
        "CREATE INDEX saved_replies_user ON saved_replies (user_id) WHERE user_id IS NOT NULL",
    ]
