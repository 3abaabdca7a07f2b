"""PostgreSQL's connections: peewee's pool with fewer round trips.

A round trip costs a fifth of a millisecond and gives Python's lock to another thread, so a request pays for each twice. peewee asks
`SELECT 1` at every checkout, holding the pool's lock meanwhile, and sends `BEGIN` alone. Here a checkout looks at the socket: a
server that went away has closed it, which makes it readable, and only then is a question worth its time. `BEGIN` travels with the
first statement of the transaction, and a transaction without statements costs nothing.
"""

from __future__ import annotations

import select
import threading
from typing import Any

from playhouse.pool import PooledPostgresqlDatabase
from psycopg2.extensions import TRANSACTION_STATUS_IDLE


class PooledPostgres(PooledPostgresqlDatabase):  # type: ignore[misc]  # playhouse has no types
    """The pool of a process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waiting = threading.local()
        super().__init__(*args, **kwargs)

    def _is_closed(self, conn: Any) -> bool:
        """Whether a connection of the pool is of no use; asks the server only when it said something unasked."""
        if conn.closed:
            return True
        if conn.get_transaction_status() == TRANSACTION_STATUS_IDLE and not _is_readable(conn.fileno()):
            return False
        return bool(super()._is_closed(conn))

    def begin(self, isolation_level: Any = None) -> None:
        if isolation_level is None and self._isolation_level is None:
            self._waiting.begin = True
        else:
            super().begin(isolation_level)

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        if self._takes_begin():
            sql = f"BEGIN;{sql}"
        return super()._execute_cursor(sql, params, **options)

    def commit(self) -> None:
        if not self._takes_begin():
            super().commit()

    def rollback(self) -> None:
        if not self._takes_begin():
            super().rollback()

    def _takes_begin(self) -> bool:
        """Whether this thread's BEGIN still waits; it does not from now on."""
        waits = getattr(self._waiting, "begin", False)
        self._waiting.begin = False
        return waits


def _is_readable(fd: int) -> bool:
    """Whether bytes or the end of the stream have come. `poll`, because `select` fails from descriptor 1,024 on."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
