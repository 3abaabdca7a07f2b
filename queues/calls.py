"""Bound what the death of one process can double.

A process that is killed leaves each of its open calls of somebody else's server in doubt, and each of them is repeated. So a process
opens few at once, whatever its number of threads: a desk that needs more sends at once runs more processes, which do not all die
together. Work on our own database needs no such bound, because its effect is rolled back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from models.kernel import limits, settings
from models.tasks.kinds import TaskKind


@contextmanager
def slot(kind: TaskKind) -> Iterator[bool]:
    """Hold one of the process's `SENDS_AT_ONCE` slots from before the call until its answer is recorded; False: none was free in time.

    A kind whose repeat does no harm needs no slot.
    """
    if not kind.doubles:
        yield True
        return
    slots = _slots(settings.current().sends_at_once)
    if not slots.acquire(timeout=limits.send_slot_wait_s):
        yield False
        return
    try:
        yield True
    finally:
        slots.release()


@cache
def _slots(count: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(count)
