"""`python -m tests.faults.watched_worker`: a worker that tells, when it ends, which modules it imported after its
start.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

from queues import master, worker


class _Watch(Middleware):
    """Compares the loaded modules at the start of the threads and at their end."""

    def __init__(self) -> None:
        self._before: set[str] = set()

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """The last thing before the threads start."""
        self._before = set(sys.modules)

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        with open(os.environ["NESTOR_LATE_IMPORTS"], "w", encoding="utf-8") as file:
            json.dump(sorted(set(sys.modules) - self._before), file)


def create_broker() -> None:
    """As `queues.worker.create_broker`."""
    worker.create_broker()
    dramatiq.get_broker().add_middleware(_Watch())


if __name__ == "__main__":
    master.BROKER = "tests.faults.watched_worker:create_broker"
    sys.exit(master.main())
