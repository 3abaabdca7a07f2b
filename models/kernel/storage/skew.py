"""Notices a machine whose clock is wrong.

The desk does not use that clock (see `clock`), but other programs on the machine do: certificates seem expired, an
object store refuses signatures, log lines of several machines are in the wrong order. Two seconds of difference mean
that time synchronisation does not run.
"""

from __future__ import annotations

import threading

from models.kernel import clock, limits
from models.kernel.telemetry import logs

log = logs.get("clock")
_lock = threading.Lock()
_reported_s = 0.0  # the difference that the last warning named
_set_back_s = 0.0  # SQLite: how far the machine's clock was set back while this process lived


def finding() -> str | None:
    """Return one sentence when this machine's clock differs from the database's, or was set back; else None."""
    ahead_s = clock.machine_ahead_s()
    if ahead_s is not None:
        if abs(ahead_s) <= limits.clock_difference_s_max:
            return None
        side = "ahead of" if ahead_s > 0 else "behind"
        return f"this machine's clock is {abs(ahead_s):.0f} s {side} the database's"
    return f"this machine's clock was set back by {_set_back_s:.0f} s" if _set_back_s > 0 else None


def detail() -> str:
    """Describe how this machine's clock compares with the database's."""
    ahead_s = clock.machine_ahead_s()
    known = "this machine's clock counts" if ahead_s is None else f"{ahead_s:+.3f} s from the database's clock"
    return finding() or known


def warn_of_change() -> None:
    """Log a difference from the database's clock when it appears, changes by more than the limit, or ends."""
    global _reported_s
    ahead_s = clock.machine_ahead_s()
    if ahead_s is None:
        return
    with _lock:
        changed = abs(ahead_s - _reported_s) > limits.clock_difference_s_max
        if not changed:
            return
        _reported_s = ahead_s if abs(ahead_s) > limits.clock_difference_s_max else 0.0
    if _reported_s:
        log.warning("clock_differs", machine_ahead_s=round(ahead_s, 3))
    else:
        log.info("clock_agrees", machine_ahead_s=round(ahead_s, 3))


def look_for_step() -> None:
    """Log that the machine's clock was set back since the last look. Nothing else notices it on SQLite.

    A step forward is not reported: a machine without a steady clock that counts its sleep takes one whenever it wakes
    up.
    """
    global _set_back_s
    step_s = clock.machine_step_s()
    if step_s < -limits.clock_difference_s_max:
        _set_back_s = -step_s
        log.warning("clock_set_back", by_s=round(-step_s, 3))


def forget() -> None:
    """Forget what was seen (between tests)."""
    global _reported_s, _set_back_s
    _reported_s = _set_back_s = 0.0
