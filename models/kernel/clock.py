"""The one source of the current instant.

Everything that asks for the time asks here, so a test or the sandbox can move time (`shift`) and an SLA
breach takes a second instead of a day. On PostgreSQL, due and lease times are compared by the database's
own clock (see `database.translate`); the shift is passed along, so both clocks move together.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC) + _shift


def shift() -> timedelta:
    """How far the desk's clock runs ahead of the machine's (zero outside tests and the sandbox)."""
    return _shift


def set_shift(by: timedelta) -> None:
    """Move the desk's clock; for tests and the sandbox only."""
    global _shift
    _shift = by


def rfc3339(instant: datetime) -> str:
    """An instant as the API writes it: RFC 3339, UTC, microseconds, `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
