"""Snooze, the bin and the time spent, as columns of a ticket.

A list leaves out snoozed tickets and tickets in the bin. Both are rare, so their indexes are partial.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE tickets ADD COLUMN snoozed_at {instant}",
        "ALTER TABLE tickets ADD COLUMN snoozed_until {instant}",
        "ALTER TABLE tickets ADD COLUMN snooze_note text",
        "ALTER TABLE tickets ADD COLUMN woken_at {instant}",
        "ALTER TABLE tickets ADD COLUMN binned_at {instant}",
        "ALTER TABLE tickets ADD COLUMN binned_as text",
        "ALTER TABLE tickets ADD COLUMN minutes_spent integer NOT NULL DEFAULT 0",
        "CREATE INDEX tickets_snoozed ON tickets (snoozed_at, id) WHERE snoozed_at IS NOT NULL",
        "CREATE INDEX tickets_binned ON tickets (binned_at, id) WHERE binned_at IS NOT NULL",
    ]
