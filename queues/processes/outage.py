"""The grace period after a database outage, during which this process takes no expired lease of a send.

While the database is away nobody can renew a lease, so leases expire although their holders live. The first process
that reaches the database again would take their tasks and repeat the messages that the holders have just sent. So each
process that saw the outage waits for `limits.expired_lease_grace_s` before it takes an expired lease of the queue
`sends`; the holders probe at least five times a second and renew first.

A process that has just started does not know about an outage, so it waits as well. The wait also keeps a process that
restarts again and again from repeating, at each start, the sends of its predecessor. Work on our own database does not
wait: its effect happens once in any case, and processes that die every few seconds must not keep it from being done.
"""

from __future__ import annotations

import threading
import time

from models.kernel import clock, limits
from models.kernel.errors import Unavailable


class Outages:
    """The end of the grace period for expired leases of sends. Tests move it by the desk's clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0

    def note(self, error: Exception) -> None:
        """Remember an outage. A statement timeout or a deadlock does not count: the database answers."""
        if isinstance(error, Unavailable) and error.code == Unavailable.code:
            self.begin()

    def begin(self) -> None:
        """Start the grace period: the database was away, or the process has just started."""
        with self._lock:
            self._until = _now_s() + limits.expired_lease_grace_s

    def wait_s(self) -> float:
        """Return the seconds until expired sends may be taken; 0.0 outside the grace period."""
        with self._lock:
            return max(0.0, self._until - _now_s())

    def forget(self) -> None:
        """End the grace period; for tests, whose process uses one database after the other."""
        with self._lock:
            self._until = 0.0


def _now_s() -> float:
    return time.monotonic() + clock.shift().total_seconds()


outages = Outages()
