"""Keep the leases of running tasks alive, so that leases can be short and a killed worker's tasks are soon picked up.

One thread a process renews every third of a lease. A task that runs past its time limit is not renewed any more: another worker may
take it, and the fencing token keeps the first one from recording anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import peewee

from models.kernel import logs
from models.kernel.errors import NestorError
from models.tasks import commands
from models.tasks.commands import ClaimedTask

log = logs.get("leases")


class LeaseKeeper:
    """Renews the leases of this process's running tasks."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._running: dict[
            str, tuple[ClaimedTask, float]
        ] = {}  # by lease: a task taken over may run here twice
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, task: ClaimedTask, *, time_limit_s: float) -> Iterator[None]:
        """The task's lease is renewed inside, up to its time limit."""
        with self._lock:
            self._running[task.lease_id] = (task, time.monotonic() + time_limit_s)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew_for_ever, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(task.lease_id, None)

    def running(self) -> list[ClaimedTask]:
        """Tasks that run in this process now."""
        with self._lock:
            return [task for task, _ in self._running.values()]

    def give_back(self) -> int:
        """Let others take what still runs here, at once; for a worker whose shutdown time is over."""
        tasks = self.running()
        if tasks:
            commands.extend({task.lease_id: task.id for task in tasks}, lease_s=0.0)
        self._wake.set()
        return len(tasks)

    def _renew_for_ever(self) -> None:
        while not self._wake.wait(self.lease_s / 3):
            now = time.monotonic()
            with self._lock:
                leases = {task.lease_id: task.id for task, until in self._running.values() if until > now}
            if not leases:
                continue
            try:
                commands.extend(leases, lease_s=self.lease_s)
            except (NestorError, peewee.DatabaseError) as error:
                # The database is away or slow: the leases run out unless the next round succeeds, the tasks run again later, the
                # fencing token protects the records. The thread lives on, or no task of this process would be renewed any more.
                log.warning("leases_not_renewed", tasks=len(leases), error=type(error).__name__)
