"""Time entries: the minutes that a person spent on a ticket, with a note."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE time_entries (id {id} PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id),
            user_id {id} NOT NULL, minutes integer NOT NULL, note text, created_at {instant} NOT NULL,
            updated_at {instant} NOT NULL)""",
        "CREATE INDEX time_entries_ticket ON time_entries (ticket_id, id)",
        "CREATE INDEX time_entries_user ON time_entries (user_id, created_at)",
    ]
