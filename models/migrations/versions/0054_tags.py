"""Descriptions and colours of tags. Which tags a ticket has stays in the ticket."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE tags (name text PRIMARY KEY, description text, colour text, updated_at {instant} NOT NULL)""",
    ]
