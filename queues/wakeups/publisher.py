"""The publishing of wakeups to the broker without blocking the caller.

For RabbitMQ, each process has one background thread, started at the first wakeup (after any fork), with a bounded
queue, publisher confirms and a circuit breaker. A slow, blocked or unavailable broker does not delay a request. An
inline publish can block without limit under a memory alarm (https://www.rabbitmq.com/docs/alarms). A wakeup that cannot
be published is dropped: its task row is committed, and the sweep publishes another wakeup.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Any

from models.events.following import notices
from models.kernel import imports, limits, threads
from models.kernel.settings import Settings
from models.kernel.telemetry import logs, metrics
from models.tasks import wakeups
from models.tasks.wakeups import Wakeup
from queues.wakeups.delayed_wakeups import Later
from queues.wakeups.log_notifier import LogNotifier

log = logs.get("wakeups")


class WakeupPublisher:
    """A background publisher of wakeups; also reports whether the broker accepts them."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self._waiting: deque[Wakeup] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._stopping = False
        self._failures = 0
        self._closed_until = 0.0
        self._busy = False
        self.later = Later(self.give, waiting_max=limits.wakeup_queue_max)
        self.log_notifier = LogNotifier()

    def accepts(self) -> bool:
        """Return True if the publisher would try to publish a wakeup now."""
        return self._failures == 0 or time.monotonic() >= self._closed_until

    @property
    def available(self) -> bool:
        """Return True if the last publish succeeded (the circuit breaker is closed)."""
        return self._failures == 0

    def give(self, wakeup: Wakeup) -> None:
        """Enqueue a wakeup; neither blocks nor raises."""
        if wakeup.wait_s > 0:
            self.later.add(wakeup)
            return
        with self._changed:
            if len(self._waiting) >= limits.wakeup_queue_max or (
                self._failures and time.monotonic() < self._closed_until
            ):
                metrics.wakeups.labels("dropped").inc()
                return
            self._waiting.append(wakeup)
            if self._thread is None:
                assert self._pid == os.getpid(), (
                    "a publisher belongs to the process that made it; make it after the fork"
                )
                self._thread = threads.started(self._run, name="wakeups")
            self._changed.notify()

    def stop(self) -> None:
        """Publish the waiting wakeups for at most limits.wakeup_flush_s; the sweep replaces the others."""
        self.log_notifier.stop()
        self.later.stop()
        deadline = time.monotonic() + limits.wakeup_flush_s
        with self._changed:
            self._stopping = True
            self._changed.notify()
            while (self._waiting or self._busy) and time.monotonic() < deadline and self._thread is not None:
                self._changed.wait(0.05)
            self._waiting.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._stopping:
                        return
                    self._changed.wait()
                wakeup = self._waiting.popleft()
                self._busy = True
            self._publish(wakeup)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _publish(self, wakeup: Wakeup) -> None:
        try:
            self._broker.enqueue(_message(wakeup))
        # pika raises some errors that Dramatiq does not wrap (AMQPConnectorStackTimeout).
        except Exception as error:  # noqa: BLE001 -- no error may end this thread
            self._failed(error)
        else:
            if self._failures:
                log.info("broker_back", failures=self._failures)
            self._failures = 0
            metrics.wakeups.labels("given").inc()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        wait_s = min(limits.broker_retry_s_min * 2 ** min(self._failures - 1, 10), limits.broker_retry_s_max)
        self._closed_until = time.monotonic() + wait_s
        with self._changed:
            dropped = len(self._waiting) + 1
            self._waiting.clear()
        metrics.wakeups.labels("dropped").inc(dropped)
        log.warning("broker_away", error=type(error).__name__, dropped=dropped, retry_in_s=wait_s)


class EmbeddedWakeups:
    """A publisher to the in-memory broker of this process, which never blocks."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self.later = Later(self.give, waiting_max=limits.wakeup_queue_max)
        self.log_notifier = LogNotifier()
        self.available = True

    def give(self, wakeup: Wakeup) -> None:
        if wakeup.wait_s > 0:
            self.later.add(wakeup)
        else:
            self._broker.enqueue(_message(wakeup))

    def stop(self) -> None:
        self.log_notifier.stop()
        self.later.stop()


class LateBroker:
    """A RabbitMQ broker that is made at its first message. For functions: Dramatiq and pika take 60 ms of a cold start
    and 5 MiB, and most requests enqueue no task.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._broker: Any = None

    def enqueue(self, message: Any) -> None:
        if self._broker is None:
            # The publisher's thread, which alone calls this, imports while others serve requests.
            imports.load("dramatiq.brokers.rabbitmq")
            self._broker = imports.load("queues.broker").create(self._settings)
        self._broker.enqueue(message)


def _message(wakeup: Wakeup) -> Any:
    return imports.load("queues.broker").message(wakeup.task_id, wakeup.queue)


def install(broker: Any, *, embedded: bool) -> WakeupPublisher | EmbeddedWakeups:
    """Publish the wakeups of committed tasks to this broker from now on, and wake the log's consumers after commits."""
    if embedded:
        in_process = EmbeddedWakeups(broker)
        notices.set_notifier(in_process.log_notifier.note)
        wakeups.set_publisher(in_process.give)
        return in_process
    publisher = WakeupPublisher(broker)
    notices.set_notifier(publisher.log_notifier.note)
    wakeups.set_publisher(publisher.give, accepts=publisher.accepts, works=lambda: publisher.available)
    return publisher
