"""Tell the SQLite errors after which the same statement may work later from those of a wrong statement."""

from __future__ import annotations

import sqlite3

import peewee

from models.kernel.errors import Contention, Unavailable

# The disk is full, fails or is not mounted: nothing was changed, and the operator mends it (SQLite, "Result and Error
# Codes").
_AWAY = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_CONTENTION = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def passing(error: peewee.PeeweeException) -> Unavailable | None:
    """Return the error for a caller who may try again; None for a statement that is wrong."""
    cause = getattr(error, "orig", None) or error.__cause__
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code; an extended one keeps it in its low byte
    if code in _CONTENTION:
        return Contention()
    return Unavailable() if code in _AWAY else None
