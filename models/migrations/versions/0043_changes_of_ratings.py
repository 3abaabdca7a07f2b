"""The number of changes of a rating."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return ["ALTER TABLE ratings ADD COLUMN changes integer NOT NULL DEFAULT 0"]
