"""A program of the desk in a process group of its own: started, killed like a power cut, ended in
order, started again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.faults import limits
from tests.services.folder import ServiceFolder

ROOT = Path(__file__).parents[2]


class Program:
    """One command with its environment and its log; made stopped."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, folder: ServiceFolder
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.log = folder.path / f"{name}.log"
        self.starts = 0
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    @property
    def pid(self) -> int:
        """The first process, which is the leader of the group."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again; returns at once."""
        with self._lock:
            self._forget()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.command,
                    env=self.environment,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._folder.track(-self._process.pid)  # the group: a worker's children must not outlive us
            self.starts += 1

    def running(self) -> bool:
        """Return True if the first process lives."""
        with self._lock:
            return self._process is not None and self._process.poll() is None

    def tree(self) -> list[psutil.Process]:
        """All its living processes, the first one first."""
        with self._lock:
            if not self.running():
                return []
            try:
                first = psutil.Process(self.pid)
                return [first, *first.children(recursive=True)]
            except psutil.NoSuchProcess:
                return []

    def children(self) -> list[psutil.Process]:
        """Those that do the work: the processes without children of their own."""
        tree = self.tree()
        parents = {process.ppid() for process in tree if process.is_running()}
        return [process for process in tree if process.pid not in parents]

    def kill(self) -> None:
        """kill -9 of all of it, at once."""
        end(self.tree())
        with self._lock:
            if self._process is not None:
                self._process.wait(limits.stop_s)

    def terminate(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask the first process to end; `wait` says how it did."""
        os.kill(self.pid, by)

    def wait(self, timeout_s: float = limits.stop_s) -> int:
        """The exit code; raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def close(self) -> None:
        """End it the hard way, if it still runs."""
        self.kill()
        self._forget()

    def tail(self) -> str:
        """The end of its log."""
        return self._folder.tail(self.log.name)

    def _forget(self) -> None:
        if self._process is not None:
            self._folder.untrack(-self._process.pid)
            self._process = None


def end(processes: Sequence[psutil.Process]) -> None:
    """kill -9; those that are gone already do not matter."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
