"""The number of searches that run at once, and the time that one may take.

Without these bounds a few heavy searches take every thread and every connection of a process, and lists wait for them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from models.kernel.errors import Unavailable
from models.kernel.storage import database

places: Final = 2  # of a process; each is a connection and a core of the database while it runs
waiting_max: Final = 2  # they hold a thread, and the others of HTTP_THREADS answer lists meanwhile
place_wait_s: Final = 0.5  # a search takes a tenth of it
search_s: Final = 3.0  # a search that takes longer is not worth its core; its caller narrows it


class SearchBusy(Unavailable):
    """Too many searches run at once. Try again."""

    code = "search_busy"
    retry_after_s = 1.0


class SearchTimeout(Unavailable):
    """The search took too long. Add a word or a filter, and try again."""

    code = "search_timeout"
    retry_after_s = 5.0


_free = threading.BoundedSemaphore(places)
_waiting = threading.BoundedSemaphore(waiting_max)


@contextmanager
def place() -> Iterator[None]:
    """Hold a place for one search. Raises SearchBusy when none becomes free in time."""
    if not _free.acquire(blocking=False):
        _wait()
    try:
        yield
    finally:
        _free.release()


def _wait() -> None:
    if not _waiting.acquire(blocking=False):
        raise SearchBusy()
    try:
        if not _free.acquire(timeout=place_wait_s):
            raise SearchBusy()
    finally:
        _waiting.release()


@contextmanager
def time_limit(seconds: float, *, by_index: bool = False) -> Iterator[None]:
    """Bound the statements of the block on PostgreSQL, each by itself. Raises StatementTimeout.

    `by_index`: the statements read no table from end to end where an index can do. The planner does not count the work
    of reading long documents, which PostgreSQL stores apart from their rows: for a rare word it read all 10,000
    documents in 170 ms, and the index takes 3 ms.

    The block is a transaction of its own, so the limit and the choice end with it.
    """
    assert not database.in_transaction(), "a limit inside of a transaction would hold for the statements after it"
    with database.transaction():
        if database.is_postgres():
            database.run(
                "SELECT set_config('statement_timeout', :ms, true), set_config('enable_seqscan', :seqscan, true)",
                ms=str(round(seconds * 1000)),
                seqscan="off" if by_index else "on",
            )
        yield
