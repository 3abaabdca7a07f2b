"""The one source of the current instant.

Everything that asks for the time asks here, so a test or the sandbox can move time (`set_shift`) and an SLA
breach takes a second instead of a day.

On PostgreSQL the desk's clock is the database's. Programs on several machines share the database and nothing else, and
every stored instant is compared with instants that other machines stored. A machine whose own clock is wrong by ten
minutes would stop a bot or let a receiver rest. Each process therefore reads the database's clock when it connects and
every `limits.clock_read_every_s` afterwards (`follow`), and counts on from there with the machine's steady clock, which
nobody sets. The machine's own clock counts only before the first connection, when there is nothing to store yet, and on
SQLite, where program and database are on one machine.

The error is at most the round trip of the best reading, and always in one direction: the desk's clock is never ahead of
the database's, so what is due now is due for the database too.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

_shift = timedelta(0)
_lock = threading.Lock()
_offset_s: float | None = None  # the database's clock minus the steady clock; None without PostgreSQL
_machine_offset_s: float | None = None  # SQLite: the machine's clock minus the steady clock, as last seen


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return unshifted() + _shift


def unshifted() -> datetime:
    """Return the current instant without the shift of tests and the sandbox, for values that must not go back when they
    end.
    """
    offset_s = _offset_s
    if offset_s is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(offset_s + steady_s(), UTC)


def steady_s() -> float:
    """Seconds of a clock that nobody sets. It goes on while the machine sleeps, where the system has such a clock
    (Linux).
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def follow(database_s: float, *, sent_s: float, received_s: float) -> None:
    """Take over a reading of the database's clock (seconds since 1970), asked for and received at two steady instants.

    The reading was taken between the two, so it bounds the offset from both sides. The lower bound is used. It moves up
    with a better reading, and down only when a reading proves that it is too high: the database's clock was set back,
    or another server has taken over.
    """
    global _offset_s
    lowest_s, highest_s = database_s - received_s, database_s - sent_s
    with _lock:
        if _offset_s is None or _offset_s < lowest_s or _offset_s > highest_s:
            _offset_s = lowest_s


def forget_database() -> None:
    """Use the machine's clock until the next reading: this process is bound to another database."""
    global _offset_s, _machine_offset_s
    with _lock:
        _offset_s = _machine_offset_s = None


def machine_ahead_s() -> float | None:
    """Return how far the machine's clock is ahead of the database's (negative: behind); None when no database's clock
    was read.
    """
    offset_s = _offset_s
    return None if offset_s is None else datetime.now(UTC).timestamp() - steady_s() - offset_s


def machine_step_s() -> float:
    """Return how far the machine's clock was set since the last call: negative when it was set back; zero at the first
    call.
    """
    global _machine_offset_s
    offset_s = datetime.now(UTC).timestamp() - steady_s()
    with _lock:
        before_s, _machine_offset_s = _machine_offset_s, offset_s
    return 0.0 if before_s is None else offset_s - before_s


def shift() -> timedelta:
    """Return how far the desk's clock runs ahead of real time (zero outside tests and the sandbox)."""
    return _shift


def set_shift(by: timedelta) -> None:
    """Move the desk's clock; for tests and the sandbox only."""
    global _shift
    _shift = by


def rfc3339(instant: datetime) -> str:
    """Return an instant as the API writes it: RFC 3339, UTC, microseconds, `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
