"""Read marks: the reading of each user in each ticket."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE read_marks (ticket_id {id} NOT NULL, user_id {id} NOT NULL, read_until {instant},
            is_unread boolean NOT NULL DEFAULT false, marked_at {instant} NOT NULL,
            PRIMARY KEY (ticket_id, user_id))""",
        "CREATE INDEX read_marks_user ON read_marks (user_id) WHERE is_unread",
        "CREATE INDEX read_marks_marked ON read_marks (marked_at)",
    ]
