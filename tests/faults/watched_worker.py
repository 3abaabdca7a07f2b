"""`python -m tests.faults.watched_worker`: a worker that reports, when it ends, which modules its threads imported, and
which of them without the lock of `models.kernel.imports`.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

from models.kernel import imports
from queues import master, worker


class _Finder(MetaPathFinder):
    """Finds no module; notes the name of each module that a thread looks for without the lock."""

    def __init__(self) -> None:
        self.bare: set[str] = set()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if not imports._lock._is_owned():  # type: ignore[attr-defined]  # typeshed leaves it out
            self.bare.add(fullname)


class _Watch(Middleware):
    """Compares the loaded modules at the start of the threads and at their end."""

    def __init__(self) -> None:
        self._before: set[str] = set()
        self._finder = _Finder()

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """The last thing before the threads start."""
        self._before = set(sys.modules)
        sys.meta_path.insert(0, self._finder)

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        with open(os.environ["NESTOR_LATE_IMPORTS"], "w", encoding="utf-8") as file:
            late = set(sys.modules) - self._before
            json.dump({"late": sorted(late), "bare": sorted(late & self._finder.bare)}, file)


def create_broker() -> None:
    """Do the same as `queues.worker.create_broker`, and watch the imports."""
    worker.create_broker()
    dramatiq.get_broker().add_middleware(_Watch())


if __name__ == "__main__":
    master.BROKER = "tests.faults.watched_worker:create_broker"
    sys.exit(master.main())
