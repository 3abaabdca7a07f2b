"""The port through which committed tasks wake a worker.

The domain knows neither RabbitMQ nor Dramatiq; a process that has a broker puts its publisher here (queues/wakeups/publisher.py). Without
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


def _always() -> bool:
    return True


_publish: Callable[[Hint], None] = _nobody
_accepts: Callable[[], bool] = _always
_works: Callable[[], bool] = _always


def set_publisher(
    publish: Callable[[Hint], None] | None,
    *,
    accepts: Callable[[], bool] = _always,
    works: Callable[[], bool] = _always,
) -> None:
    """Install the process's publisher (None: none). It must neither block nor raise.

    `works`: the last hint got through. `accepts`: a hint given now would be tried (the breaker is closed, or due for a probe).
    """
    global _publish, _accepts, _works
    _publish, _accepts, _works = publish or _nobody, accepts, works


def broker_works() -> bool:
    """Whether the last hint got through."""
    return _works()


def broker_may_be_tried() -> bool:
    """Whether a hint given now would be tried: the breaker is closed, or due for a probe."""
    return _accepts()


def give(hint: Hint) -> None:
    _publish(hint)
