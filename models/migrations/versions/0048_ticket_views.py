"""Views: saved filters of lists, with columns and an order."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE ticket_views (id {id} PRIMARY KEY, name text NOT NULL, scope text NOT NULL,
        owner_id {id} REFERENCES users (id), team text, filter {json} NOT NULL, columns_shown {json} NOT NULL,
        sort text NOT NULL, position integer NOT NULL, version integer NOT NULL DEFAULT 1,
        created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
        "CREATE INDEX ticket_views_owner ON ticket_views (owner_id)",
    ]
