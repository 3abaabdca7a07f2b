"""The port through which committed tasks wake a worker.

The domain knows neither RabbitMQ nor Dramatiq; a process that has a broker installs its publisher here
(queues/wakeups/publisher.py). Without one (a script, a test) nothing is lost: the sweep of another process wakes a
worker for due tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Wakeup(NamedTuple):
    """A message that wakes a worker of `queue` for task `task_id`; `wait_s` > 0 asks for a local, best-effort delay."""

    task_id: int
    queue: str
    wait_s: float = 0.0


def _nobody(wakeup: Wakeup) -> None:
    """Drop the wakeup: this process has no broker, and the sweep finds the row."""


def _always() -> bool:
    return True


_publish: Callable[[Wakeup], None] = _nobody
_accepts: Callable[[], bool] = _always
_works: Callable[[], bool] = _always


def set_publisher(
    publish: Callable[[Wakeup], None] | None,
    *,
    accepts: Callable[[], bool] = _always,
    works: Callable[[], bool] = _always,
) -> None:
    """Install the process's publisher (None: none). It must neither block nor raise.

    `works`: the last wakeup reached the broker. `accepts`: a wakeup would be tried now (the breaker is closed, or due
    for a probe).
    """
    global _publish, _accepts, _works
    _publish, _accepts, _works = publish or _nobody, accepts, works


def broker_works() -> bool:
    """Return True if the last wakeup reached the broker."""
    return _works()


def broker_may_be_tried() -> bool:
    """Return True if the publisher would try a wakeup now: the breaker is closed, or due for a probe."""
    return _accepts()


def give(wakeup: Wakeup) -> None:
    """Hand a wakeup to the process's publisher."""
    _publish(wakeup)
