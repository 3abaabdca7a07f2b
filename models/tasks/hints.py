"""The port through which committed tasks wake a worker.

The domain knows neither RabbitMQ nor Dramatiq; a process that has a broker puts its publisher here (queues/hints.py). Without
one (a script, a test) nothing is lost: the sweep of another process hints what is due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Hint(NamedTuple):
    """Wake a worker of `queue` for task `task_id`; `wait_s` > 0 asks for a local, best-effort delay."""

    task_id: int
    queue: str
    wait_s: float = 0.0


def _nobody(hint: Hint) -> None:
    """No broker in this process; the sweep will find the row."""


_publish: Callable[[Hint], None] = _nobody


def set_publisher(publish: Callable[[Hint], None] | None) -> None:
    """Install the process's publisher (None: none). It must neither block nor raise."""
    global _publish
    _publish = publish or _nobody


def give(hint: Hint) -> None:
    _publish(hint)
