"""Migrations and replays as jobs: the number of their tickets, the reason of a failure, and the replays themselves."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE workflow_migrations ADD COLUMN tickets integer",
        "ALTER TABLE workflow_migrations ADD COLUMN error text",
        """CREATE TABLE workflow_replays (id {id} PRIMARY KEY, workflow text NOT NULL, draft {json} NOT NULL,
            since {instant} NOT NULL, until {instant} NOT NULL, state text NOT NULL, cursor {id}, tally {json},
            tickets integer NOT NULL, tickets_done integer NOT NULL DEFAULT 0, error text, started_by text NOT NULL,
            started_at {instant} NOT NULL, finished_at {instant})""",
    ]
