"""The port through which committed tasks wake a worker.

The domain knows neither RabbitMQ nor Dramatiq; a process that has a broker installs its publisher here
(queues/wakeups/publisher.py). Without one (a script, a test) nothing is lost: the sweep of another process wakes a
worker for due tasks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class _Kept(threading.local):
    """The wakeup that this thread follows itself, and the queue whose wakeups it may keep now."""

    follows = False
    queue: str | None = None
    wakeup: Wakeup | None = None


_kept = _Kept()


@contextmanager
def following() -> Iterator[Callable[[], Wakeup | None]]:
    """Let this thread keep one wakeup at a time (`keeping`) instead of publishing it. The value takes the kept one.

    A wakeup that is still kept at the end is published. A process that is killed meanwhile loses it like any other
    wakeup: the row is committed, and the sweep finds it.
    """
    _kept.follows = True
    try:
        yield _take
    finally:
        _kept.follows = False
        if (left := _take()) is not None:
            _publish(left)


@contextmanager
def keeping(queue: str) -> Iterator[None]:
    """Keep the first wakeup of this queue that is due, if the thread follows it afterwards.

    Only for the end of a task: a wakeup that is kept waits for the end of the block and of what its caller still does.
    """
    _kept.queue = queue if _kept.follows else None
    try:
        yield
    finally:
        _kept.queue = None


def _take() -> Wakeup | None:
    wakeup, _kept.wakeup = _kept.wakeup, None
    return wakeup


def give(wakeup: Wakeup) -> None:
    """Hand a wakeup to the process's publisher, or to this thread (`following`)."""
    if _kept.queue == wakeup.queue and _kept.wakeup is None and wakeup.wait_s <= 0:
        _kept.wakeup = wakeup
        return
    _publish(wakeup)
