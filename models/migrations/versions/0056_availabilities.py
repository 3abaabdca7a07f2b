"""The absence and the capacity of users."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE availabilities (user_id {id} PRIMARY KEY REFERENCES users (id), away_until {instant},
            capacity integer, updated_at {instant} NOT NULL)""",
    ]
