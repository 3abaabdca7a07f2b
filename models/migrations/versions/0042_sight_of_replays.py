"""The user whose tickets a replay drives, and whether the caller who started it saw all tickets."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE workflow_replays ADD COLUMN seen_by {id}",
        "ALTER TABLE workflow_replays ADD COLUMN sees_all boolean NOT NULL DEFAULT false",
    ]
