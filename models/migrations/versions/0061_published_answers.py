"""Saved replies and macros that are published from files."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [f"ALTER TABLE {table} ADD COLUMN definition text" for table in ("saved_replies", "macros")] + [
        f"CREATE INDEX {table}_definition ON {table} (definition) WHERE definition IS NOT NULL"
        for table in ("saved_replies", "macros")
    ]
