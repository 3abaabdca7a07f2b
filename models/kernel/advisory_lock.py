"""Hold what has no row yet, by a name."""

from __future__ import annotations

from models.kernel import database


def hold(name: str) -> None:
    """Let nobody else who asks for the same name go on until this transaction ends; for what has no row yet to be held.

    SQLite's writer is alone anyway.
    """
    assert database.in_transaction(), "a name is held by a transaction"
    if database.is_postgres():
        database.run("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name)
