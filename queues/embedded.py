"""The workers of the embedded desk: threads of this process with an in-memory broker.

The broker stores nothing; the task rows are durable. At start, every lease is released, because the data folder's lock
excludes another desk, and every unfinished task gets a wakeup. Each queue has its own threads: otherwise a relay that
accepts a connection and does not respond could occupy all threads, and new messages would wait for its time limits.
"""

from __future__ import annotations

import threading
from typing import Any

import dramatiq

from models.kernel.settings import Settings
from models.kernel.telemetry import logs
from models.tasks import task_leases
from models.tasks.kinds import QUEUES
from queues import broker as brokers
from queues import channels, scheduler, sweep
from queues.parser import parsing
from queues.processes import preloading, starting
from queues.processes.lease_keeper import keeper
from queues.pulling import loop
from queues.wakeups import publisher

log = logs.get("embedded")


class EmbeddedWorkers:
    """The worker threads, scheduler, channel readers and wakeups of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.broker: Any = brokers.create(settings)
        self._workers: list[Any] = []
        self._scheduler: Any = None
        self._pullers = loop.Pullers(settings)
        self.publisher: Any = None

    def start(self) -> None:
        """Import the modules of tasks and start all threads; resumes the tasks of an earlier process immediately."""
        # The imports run before any thread starts.
        preloading.preload()
        preloading.preload_channels()
        brokers.add_runner(self.broker)
        # Dramatiq's command line emits this signal. TimeLimit starts its timer on it.
        self.broker.emit_after("process_boot")
        self.publisher = publisher.install(self.broker, embedded=True)
        released = starting.through_outage(task_leases.release_all)
        threads = shares(self._settings.worker_threads, len(QUEUES))
        for queue, count in zip(QUEUES, threads, strict=True):
            worker = dramatiq.Worker(self.broker, queues={queue}, worker_threads=count, worker_timeout=100)
            worker.start()
            self._workers.append(worker)
        self._scheduler = scheduler.start()
        self._pullers.start()
        swept = starting.through_outage(sweep.once)
        log.info("workers_started", leases_released=released, tasks_woken=swept.tasks_woken)

    def stop(self, *, timeout_s: float) -> None:
        """Finish running tasks within `timeout_s`; release the leases of the others."""
        self._scheduler.shutdown(wait=False)
        self._pullers.stop()
        self.publisher.stop()
        # All workers stop in parallel, so a hung send does not use up the time of the others.
        stopping = [
            threading.Thread(target=worker.stop, kwargs={"timeout": int(timeout_s * 1000)}, name="stop")
            for worker in self._workers
        ]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        keeper().give_back()
        channels.close_all()
        parsing.close()
        self.broker.close()


def shares(threads: int, queues: int) -> list[int]:
    """Return the number of threads for each queue: equal shares, at least one; the first queues get the remainder."""
    return [max(1, threads // queues + (number < threads % queues)) for number in range(queues)]
