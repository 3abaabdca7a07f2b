"""The network, program, device, last use and last proof of a session."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE sessions ADD COLUMN client text",
        "ALTER TABLE sessions ADD COLUMN user_agent text",
        "ALTER TABLE sessions ADD COLUMN device_id {id}",
        # NULL in rows of earlier programs: the last refresh, and the sign-in.
        "ALTER TABLE sessions ADD COLUMN last_seen_at {instant}",
        "ALTER TABLE sessions ADD COLUMN authenticated_at {instant}",
    ]
