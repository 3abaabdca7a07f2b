"""The sweep: fires due timers and sends wake-ups for due tasks. Its periodic form never raises for an outage."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from models.events.following import consumers
from models.kernel import limits, threads
from models.kernel.errors import NestorError
from models.kernel.storage import database, skew
from models.kernel.telemetry import logs
from models.search.index import waking as search_index
from models.tasks import sweep as tasks
from models.tasks import timers
from models.tasks.payloads import CollectGarbage, Payload, RepairActivations, WatchAccounts
from queues.processes.outage import outages

log = logs.get("sweep")

# Recurring work of the desk itself.
_HOUSEKEEPING: tuple[tuple[Payload, str, int], ...] = (
    (CollectGarbage(), "collect_garbage", 3600),
    # A user whose hand-shake with the ledger was lost waits a quarter of an hour at most.
    (RepairActivations(), "repair_activations", 900),
    # Half an hour: Telegram keeps undelivered updates for a day, and a desk that sleeps should not be woken more often.
    (WatchAccounts(), "watch_accounts", 1800),
)


@dataclass(frozen=True, slots=True)
class Swept:
    """The counts of one sweep."""

    timers_fired: int
    tasks_woken: int


def once() -> Swept:
    """Fire every due timer, wake every due task, and wake the consumers of the log; not only one batch.

    Raises Unavailable when the database is away.
    """
    # Tasks come first, so that a timer that cannot fire does not stop them.
    woken = tasks.run_all()
    fired = 0
    while True:
        count = timers.fire_due()
        fired += count
        if count == 0:
            break
    # A process that was killed after its commit has not woken the consumers of the log.
    consumers.wake()
    search_index.wake()
    if fired or woken:
        log.info("swept", timers_fired=fired, tasks_woken=woken)
    return Swept(fired, woken)


def quietly() -> None:
    """Sweep once; log a database that is away, because the next beat tries again."""
    if not database.is_postgres():
        skew.look_for_step()
    try:
        once()
    except NestorError as error:
        outages.note(error)
        log.warning("sweep_failed", reason=error.code)


def ensure_housekeeping() -> None:
    """Set the timers of the desk's own recurring work."""
    with database.transaction():
        for payload, name, every_s in _HOUSEKEEPING:
            timers.ensure(name, payload, every_s=every_s)


class OpportunisticSweep:
    """Lets requests sweep at most once per `every_s` seconds and process, in the background.

    When everything is scaled to zero, the first request wakes workers for the tasks whose wakeups were lost.
    """

    def __init__(self, every_s: float = 10.0) -> None:
        self._every_s = every_s
        self._next = time.monotonic() + every_s
        self._lock = threading.Lock()

    def maybe(self) -> None:
        now = time.monotonic()
        if now < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            if now < self._next:
                return
            self._next = now + self._every_s
            threads.started(quietly, name="sweep")
        finally:
            self._lock.release()


def beat_s() -> float:
    """Return the seconds between sweeps of a long-lived process."""
    return limits.sweep_every_s
