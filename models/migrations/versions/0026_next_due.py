"""The earliest due instant of a ticket's running promises, as a column that lists filter and sort by.

A program of the previous release does not write the column. During a rollout it can be out of date for a ticket until
the ticket's promises change again.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE tickets ADD COLUMN next_due_at {instant}",
        """UPDATE tickets SET next_due_at = (SELECT min(c.due_at) FROM sla_clocks AS c WHERE c.ticket_id = tickets.id
            AND c.state = 'running') WHERE id IN (SELECT ticket_id FROM sla_clocks WHERE state = 'running')""",
        "CREATE INDEX tickets_next_due ON tickets (next_due_at, id) WHERE next_due_at IS NOT NULL",
    ]
