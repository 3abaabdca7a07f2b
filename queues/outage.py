"""What this process knows of a database that was away, and why it then leaves the expired leases of sends alone.

While the database is away nobody can renew a lease, so leases run out although their holders live. The first process that finds the
database back would take their tasks and repeat what their holders have just sent. Each process that saw the outage therefore waits
for `limits.expired_lease_grace_s` before it takes an expired lease of the queue `sends`; the holders ask five times a second and more
often, and renew first.

A process that has just started saw nothing, so it waits as well. The wait also keeps a process that is started again and again from
repeating, at each start, what the last one was sending. Work on our own database waits for nothing: its effect happens once anyway, and
processes that die every few seconds must not keep it from being done.
"""

from __future__ import annotations

import threading
import time

from models.kernel import clock, limits
from models.kernel.errors import Unavailable


class Outages:
    """When expired leases of sends may be taken again. Tests move it by the desk's clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0

    def note(self, error: Exception) -> None:
        """Remember an outage. A statement timeout or a deadlock is none: the database is there."""
        if isinstance(error, Unavailable) and error.code == Unavailable.code:
            self.begin()

    def begin(self) -> None:
        """Leave expired sends alone from now on: the database was away, or the process has just started."""
        with self._lock:
            self._until = _now_s() + limits.expired_lease_grace_s

    def wait_s(self) -> float:
        """Seconds for which expired sends are left alone; 0.0: they may be taken."""
        with self._lock:
            return max(0.0, self._until - _now_s())

    def forget(self) -> None:
        """Start anew; for tests, whose process works for one database after the other."""
        with self._lock:
            self._until = 0.0


def _now_s() -> float:
    return time.monotonic() + clock.shift().total_seconds()


outages = Outages()
