"""The limit on the open calls of one process to other servers. It also limits the sends that a crash can duplicate.

When a process is killed, the outcome of each of its open calls is unknown, and each call is repeated. So a process
opens few calls at once, whatever its number of threads. A desk that needs more sends at once runs more processes, which
do not all die together. Work on our own database needs no such limit, because its effect is rolled back.
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
    """Hold one of the process's `SENDS_AT_ONCE` slots from before the call until its answer is recorded.

    Yields False when no slot was free in time. A kind whose repeat does no harm needs no slot.
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
