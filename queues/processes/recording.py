"""The recording of results that only this process knows, through an outage of the database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from dramatiq.middleware import TimeLimitExceeded

from models.kernel import limits
from models.kernel.errors import Unavailable
from models.kernel.telemetry import logs
from models.tasks.commands import ClaimedTask
from queues.processes.lease_keeper import keeper
from queues.processes.outage import outages

log = logs.get("recording")
T = TypeVar("T")


def record_answer(task: ClaimedTask, write: Callable[[], T]) -> T:
    """Record another server's answer, for up to `limits.settle_wait_s_max`; the lease is renewed meanwhile."""
    with keeper().recording(task, for_s=limits.settle_wait_s_max):
        return write_until_taken(write, within_s=limits.settle_wait_s_max)


def write_until_taken(write: Callable[[], T], *, within_s: float) -> T:
    """Call `write` until it succeeds, for at most `within_s` seconds; `write` opens its own transaction.

    Between two calls the thread waits for the process's one probe (`LeaseKeeper.wait_for_database`). Raises Unavailable
    at the end.
    """
    deadline = time.monotonic() + within_s
    pause_s = limits.settle_pause_s_min
    while True:
        try:
            return write()
        except Unavailable as error:
            outages.note(error)
            failed_at = time.monotonic()
            log.warning("waiting_for_database", code=error.code)
            if not _answers_before(deadline):
                raise
        if time.monotonic() - failed_at > limits.database_probe_s[1]:
            pause_s = limits.settle_pause_s_min
            continue
        # The database answered at once: it runs, and refuses this write for now (a deadlock, no free connection).
        time.sleep(pause_s * (0.5 + random.random() / 2))  # noqa: S311 -- spreads retries
        pause_s = min(pause_s * 2, limits.settle_pause_s_max)


def _answers_before(deadline: float) -> bool:
    """Wait for the database. Dramatiq's time limit, which interrupts once, is ignored: the work has ended already."""
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            return keeper().wait_for_database(within_s=left_s)
        except TimeLimitExceeded:
            log.warning("time_limit_while_recording")
    return False
