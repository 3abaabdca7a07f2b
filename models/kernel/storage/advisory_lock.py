"""Advisory locks: serialise transactions that work on something without a row to lock."""

from __future__ import annotations

from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared


def advisory_lock(name: str) -> None:
    """Serialise transactions that work on something without a row to lock, until this transaction ends.

    SQLite has one writer at a time, so nothing is to be done there.
    """
    assert database.in_transaction(), "an advisory lock is held by a transaction"
    if database.is_postgres():
        database.run(Prepared("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name=name)
