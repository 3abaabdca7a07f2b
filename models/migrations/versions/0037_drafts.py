"""Drafts of replies and notes, by ticket and user."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE drafts (ticket_id {id} NOT NULL REFERENCES tickets (id),
        user_id {id} NOT NULL REFERENCES users (id), kind text NOT NULL, body text NOT NULL, body_format text NOT NULL,
        recipient text, copies {json}, attachments {json} NOT NULL, seen_message_id {id}, version integer NOT NULL,
        updated_at {instant} NOT NULL, PRIMARY KEY (ticket_id, user_id))""",
        "CREATE INDEX drafts_user ON drafts (user_id, updated_at, ticket_id)",
        "CREATE INDEX drafts_age ON drafts (updated_at)",
    ]
