"""The renewal of running tasks' leases, so that leases can be short and a killed worker's tasks are soon taken by
another.

One thread for each process renews the leases after a third of their time. When a renewal or a settlement fails, the
same thread probes the database every 0.1 to 0.2 s for all threads of the process, and its first success renews the
leases. So a living holder has its leases back before another process takes them (queues/processes/outage.py), and
before its own threads record their results.

The lease of a task that runs past its time limit is not renewed: another worker may take the task, and the fencing
token keeps the first one from recording anything.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import peewee

from models.kernel import limits, settings
from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks import commands
from models.tasks.commands import ClaimedTask
from queues.processes.outage import outages

log = logs.get("leases")


class LeaseKeeper:
    """Renews the leases of this process's running tasks, and probes the database during an outage."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        # The key is the lease, because a task that was taken over may run here twice.
        self._running: dict[str, tuple[ClaimedTask, float]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._away = False
        self._asked = False
        self._answers = 0

    @contextmanager
    def keeping(self, task: ClaimedTask, *, time_limit_s: float) -> Iterator[None]:
        """Renew the task's lease inside the block, up to its time limit."""
        with self._changed:
            self._start()  # may raise: the task then does not run, and its lease expires
            self._running[task.lease_id] = (task, time.monotonic() + time_limit_s)
        try:
            yield
        finally:
            with self._changed:
                self._running.pop(task.lease_id, None)

    @contextmanager
    def recording(self, task: ClaimedTask, *, for_s: float) -> Iterator[None]:
        """Renew the lease inside the block for up to `for_s` seconds, which do not count toward the
        task's time limit.
        """
        started_at = time.monotonic()
        with self._changed:
            before = self._running.get(task.lease_id)
            if before is not None:
                self._running[task.lease_id] = (task, started_at + for_s)
        try:
            yield
        finally:
            with self._changed:
                if before is not None and task.lease_id in self._running:
                    self._running[task.lease_id] = (task, before[1] + time.monotonic() - started_at)

    def running(self) -> list[ClaimedTask]:
        """Return the tasks that run in this process now."""
        with self._changed:
            return [task for task, _ in self._running.values()]

    def holds(self, task_id: int) -> bool:
        """Return True if this process runs the task within its time limit.

        Its lease may have expired all the same (the machine slept); the process must not take the task from itself.
        """
        now = time.monotonic()
        with self._changed:
            held = any(task.id == task_id and until > now for task, until in self._running.values())
            if held:
                self._asked = True
                self._changed.notify_all()
            return held

    def wait_for_database(self, *, within_s: float) -> bool:
        """Wait until the database answers this process's probe; returns False after `within_s` seconds without an
        answer.
        """
        deadline = time.monotonic() + within_s
        with self._changed:
            self._start()
            answers, self._asked = self._answers, True
            self._changed.notify_all()
            while self._answers == answers:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or self._stopping:
                    return False
                # Short waits, because Dramatiq's time limit interrupts between them.
                self._changed.wait(min(left_s, 1.0))
        return True

    def give_back(self) -> int:
        """Release the leases of running tasks, so that others take them at once; after a worker's shutdown time."""
        tasks = self.running()
        if tasks:
            commands.extend({task.lease_id: task.id for task in tasks}, lease_s=0.0)
        self.stop()
        return len(tasks)

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._renew_until_stopped, name="leases", daemon=True)
            thread.start()
            self._thread = thread  # only now: a task whose thread cannot start fails, and the next one tries again

    def _renew_until_stopped(self) -> None:
        while True:
            with self._changed:
                if self._away:
                    self._changed.wait_for(
                        lambda: self._stopping,
                        random.uniform(*limits.database_probe_s),  # noqa: S311 -- spreads the probes of processes
                    )
                else:
                    self._changed.wait_for(lambda: self._stopping or self._asked, self.lease_s / 3)
                if self._stopping:
                    return
                asked, self._asked = self._asked, False
                now = time.monotonic()
                leases = {task.lease_id: task.id for task, until in self._running.values() if until > now}
            if leases or asked or self._away:
                self._renew(leases)

    def _renew(self, leases: dict[str, int]) -> None:
        try:
            if leases:
                commands.extend(leases, lease_s=self.lease_s)
            else:
                database.ping()
        except (NestorError, peewee.PeeweeException) as error:
            # The thread goes on: without it no lease of this process would be renewed. The fencing token protects the
            # records.
            outages.note(error)
            if not self._away:
                log.warning("leases_not_renewed", tasks=len(leases), error=type(error).__name__)
            self._away = True
            return
        if self._away:
            log.info("leases_renewed_again", tasks=len(leases))
        with self._changed:
            self._away = False
            self._answers += 1
            self._changed.notify_all()


@lru_cache(maxsize=1)
def keeper() -> LeaseKeeper:
    """Return this process's lease keeper."""
    return LeaseKeeper(settings.current().task_lease_s)
