"""Indexes for the counts of views: each count reads a hundred entries of an index in its order and stops.

Without them PostgreSQL read all open tickets for a view by priority or by tags, and the row of every failed delivery.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    made = [
        """CREATE INDEX tickets_open_priority ON tickets (priority, updated_at, id)
        WHERE category IN ('todo', 'waiting')""",
        # Failed deliveries are few. The index holds the only column that lists and counts read.
        "CREATE INDEX deliveries_failed ON deliveries (ticket_id) WHERE state = 'failed'",
    ]
    if dialect.postgres:
        # Not partial: the planner would take it for a list of all open tickets (PostgreSQL manual, 11.8).
        made.append("CREATE INDEX tickets_tags ON tickets USING gin (tags jsonb_path_ops)")
    return made
