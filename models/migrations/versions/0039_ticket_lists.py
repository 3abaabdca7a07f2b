"""Ticket lists: who waits for an answer, and the indexes of filters and orders.

A program of the previous release does not write `unanswered_since`. During a rollout it can be out of date for a
ticket until the ticket's next public message.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect

# The first message of the requester after the last answer of a person. A mail to somebody else answers nobody.
_UNANSWERED = """SELECT min(m.created_at) FROM messages AS m WHERE m.ticket_id = tickets.id AND m.kind = 'reply'
    AND m.direction = 'inbound' AND m.deleted_at IS NULL AND NOT m.by_machine AND m.sequence > COALESCE((
        SELECT max(a.sequence) FROM messages AS a WHERE a.ticket_id = tickets.id AND a.kind = 'reply'
        AND a.direction = 'outbound' AND a.deleted_at IS NULL AND NOT a.by_machine
        AND COALESCE(CAST(a.details -> 'to' ->> 'reaches_requester' AS text), 'true') NOT IN ('false', '0')), 0)"""


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE tickets ADD COLUMN unanswered_since {instant}",
        f"UPDATE tickets SET unanswered_since = ({_UNANSWERED})",
        # Open tickets are few. These two serve "mine", "unassigned", and a team's tickets, in the usual order.
        """CREATE INDEX tickets_open_assignee ON tickets (assignee_id, updated_at, id)
        WHERE category IN ('todo', 'waiting')""",
        """CREATE INDEX tickets_open_team ON tickets (team, updated_at, id)
        WHERE category IN ('todo', 'waiting')""",
        "CREATE INDEX tickets_unanswered ON tickets (unanswered_since, id) WHERE unanswered_since IS NOT NULL",
        "CREATE INDEX tickets_created ON tickets (created_at, id)",
        # A list by rank reads each priority as a walk of its own.
        "CREATE INDEX tickets_priority ON tickets (priority, id)",
    ]
