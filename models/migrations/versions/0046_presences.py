"""Presence of users in tickets, kept outside of the event log."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE presences (ticket_id {id} NOT NULL, user_id {id} NOT NULL, doing text NOT NULL,
            expires_at {instant} NOT NULL, PRIMARY KEY (ticket_id, user_id))""",
        "CREATE INDEX presences_user ON presences (user_id)",
        *(["ALTER TABLE presences SET UNLOGGED"] if dialect.postgres else []),
    ]
