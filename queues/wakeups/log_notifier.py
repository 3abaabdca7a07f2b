"""Wakes the consumers of the event log after commits, at most once every `pause_s` for the whole process.

A commit only sets a flag, so a request pays no statement for the consumers. A background thread, started at the first
commit of events (after any fork), enqueues the tasks. It looks again while a consumer is behind: a consumer's last
task may be at its end when new events commit. If the process is killed, the sweep of another process does the same
(queues/sweep.py).
"""

from __future__ import annotations

import os
import threading

import peewee

from models.events.following import consumers
from models.kernel import threads
from models.kernel.errors import NestorError
from models.kernel.telemetry import logs

log = logs.get("log_notifier")

# -- limits ----------------------------------------------------------------------------------------------------
pause_s = 0.4  # consumers are at most a second behind, and a busy process enqueues 2.5 tasks a second for each
pause_s_max = 10.0  # while a consumer stays behind although its task is live: it fails, and the sweep retries its task


class LogNotifier:
    """The background thread of a process, and the flag that wakes it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._noted = self._stopping = False
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def note(self) -> None:
        """Note that events were committed; neither blocks nor raises.

        If the thread cannot be started now, the next commit tries again; the sweep wakes the consumers meanwhile.
        """
        if self._noted:
            return
        with self._changed:
            if self._thread is None and not self._stopping:
                assert self._pid == os.getpid(), (
                    "a notifier belongs to the process that made it; make it after the fork"
                )
                self._thread = threads.started(self._run, name="log-notifier")
            self._noted = self._thread is not None
            self._changed.notify()

    def stop(self) -> None:
        """End the thread; the sweep does the rest."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def _run(self) -> None:
        wait_s, behind = pause_s, False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._noted or self._stopping, None if not behind else wait_s)
                # Commits of the next moments are noted with this one.
                if self._changed.wait_for(lambda: self._stopping, pause_s):
                    return
                wait_s = pause_s if self._noted else min(wait_s * 2, pause_s_max)
                self._noted = False
            behind = self._wake()

    def _wake(self) -> bool:
        try:
            return consumers.wake() > 0
        except NestorError as error:
            log.warning("log_not_followed", reason=error.code)
        except peewee.PeeweeException as error:
            # A fault of the schema or of a statement: without this thread only the sweep would wake the consumers.
            log.error("log_not_followed", exc_info=error)
        return True
