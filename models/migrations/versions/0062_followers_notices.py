"""The number of a ticket's followers, and the users who get notices of the tickets in which a note mentioned them."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE tickets ADD COLUMN follower_count integer NOT NULL DEFAULT 0",
        """UPDATE tickets SET follower_count =
            (SELECT count(*) FROM ticket_followers AS f WHERE f.ticket_id = tickets.id)
            WHERE EXISTS (SELECT 1 FROM ticket_followers AS f WHERE f.ticket_id = tickets.id)""",
        "ALTER TABLE notice_settings ADD COLUMN follow_when_mentioned boolean NOT NULL DEFAULT FALSE",
    ]
