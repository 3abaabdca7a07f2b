"""SQLite's REPLACE deletes a row without its delete triggers, so it could overwrite an audit entry: it is refused, too.

PostgreSQL has no such statement.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [] if dialect.postgres else [_REFUSE]


_REFUSE = """CREATE TRIGGER audit_entries_new BEFORE INSERT ON audit_entries
    WHEN EXISTS (SELECT 1 FROM audit_entries WHERE serial = NEW.serial)
    BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END"""
