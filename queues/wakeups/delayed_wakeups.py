"""Publish wakeups after waits of up to a minute at the right moment, in this process.

Best effort: a process that dies loses them and the sweep finds the rows. It keeps retries punctual without delayed
messages in the broker, which sit unacknowledged in a worker's memory and break scale to zero.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

from models.kernel import threads
from models.tasks.wakeups import Wakeup


class Later:
    """A heap of wakeups and the thread that gives them when their time comes."""

    def __init__(self, give: Callable[[Wakeup], None], *, waiting_max: int) -> None:
        self._give = give
        self._waiting_max = waiting_max
        self._heap: list[tuple[float, int, Wakeup]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def add(self, wakeup: Wakeup) -> None:
        """Give the wakeup after its `wait_s`; dropped when too many wait (the sweep brings it back)."""
        with self._changed:
            if len(self._heap) >= self._waiting_max or self._stopped:
                return
            heapq.heappush(self._heap, (time.monotonic() + wakeup.wait_s, wakeup.task_id, wakeup._replace(wait_s=0.0)))
            if self._thread is None:
                self._thread = threads.started(self._run, name="later")
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and (not self._heap or self._heap[0][0] > time.monotonic()):
                    self._changed.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
                if self._stopped:
                    return
                wakeup = heapq.heappop(self._heap)[2]
            self._give(wakeup)
