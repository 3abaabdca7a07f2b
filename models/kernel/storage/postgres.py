"""PostgreSQL's connections: peewee's pool without session state, without waits under a lock, and with fewer round
trips.

Limits travel with each transaction (`SET LOCAL`), never with the session: a pooler in transaction mode gives each
transaction another server connection and refuses `options` at the start. They cost some 10 microseconds and no round
trip, because they and `BEGIN` go out in one message with the first statement (PostgreSQL manual, 55.2.2.1: several
statements in a simple query are one transaction).

A round trip costs a fifth of a millisecond and gives Python's lock to another thread. A checkout therefore looks at the
socket and asks the server nothing: a server that went away has closed it, and a server that vanished fails the
keepalive probes.

A connection is opened outside of the locks. peewee opens it inside of two, so one host that does not answer would hold
every thread of the process for one connect timeout after the other.

The pool also reads the database's clock, which is the desk's (`clock.follow`): at each new connection, because it may
lead to another server after a failover, and every `limits.clock_read_every_s`.
"""

from __future__ import annotations

import heapq
import select
import threading
import time
from collections.abc import Sequence
from typing import Any

import peewee
from peewee import __exception_wrapper__ as translated  # type: ignore[attr-defined]  # the stubs leave it out
from playhouse.pool import MaxConnectionsExceeded, PoolConnection, PooledPostgresqlDatabase
from psycopg2 import Error, ProgrammingError
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, parse_dsn

from models.kernel import clock, limits
from models.kernel.errors import ConfigurationError
from models.kernel.storage import skew, sockets
from models.kernel.storage.prepared import Connection, is_read

# The limits of one message. Each SET costs the server some 5 microseconds. Without jit=off, the planner compiles lists
# of open tickets, whose visibility rule it takes for costly: 2 s of compilation for 0.2 s of work.
_LIMITS = f"SET LOCAL statement_timeout='{limits.statement_timeout_s}s';SET LOCAL timezone='UTC';SET LOCAL jit=off;"
# A message without BEGIN ends its transaction itself, so it cannot leave one idle.
_IDLE_LIMIT = f"SET LOCAL idle_in_transaction_session_timeout='{limits.idle_transaction_timeout_s}s';"
_READ_CLOCK = f"{_LIMITS}SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision), pg_backend_pid()"
# SQLSTATEs of a prepared statement that the server does not know (26000), whose name it has already (42P05), or whose
# columns a migration has changed (0A000, "cached plan must not change result type").
_PLAN_CHANGED = "0A000"
_STATEMENT_GONE = frozenset({"26000", "42P05", _PLAN_CHANGED})


def connect_options(url: str) -> dict[str, Any]:
    """Return the connection parameters that the URL leaves open; a parameter that the operator wrote wins.

    `connect_timeout` holds for each host of the URL. Raises ConfigurationError when libpq cannot read the URL.
    """
    try:
        written = parse_dsn(url)
    except ProgrammingError as error:
        # Its text may quote the password.
        raise ConfigurationError("DATABASE_URL is not a URL that PostgreSQL's client can read") from error
    idle_s, probe_every_s, probes = sockets.keepalive(limits.server_lost_s)
    ours = {
        "application_name": "nestor",
        "connect_timeout": limits.database_connect_s,
        "tcp_user_timeout": round(limits.server_lost_s * 1000),
        "keepalives": 1,
        "keepalives_idle": idle_s,
        "keepalives_interval": probe_every_s,
        "keepalives_count": probes,
    }
    return {name: value for name, value in ours.items() if name not in written}


class PooledPostgres(PooledPostgresqlDatabase):  # type: ignore[misc]  # playhouse has no types
    """The pool of a process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waiting = threading.local()
        self._opening = 0  # connections that are being opened, each in a thread; they count towards the pool's size
        self._plans_epoch = 0  # counts the changes of tables that made a prepared statement impossible
        self._clock_due_s = 0.0  # the steady instant from which on the server's clock is read again
        super().__init__(*args, connection_factory=Connection, **kwargs)

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Give this thread a connection. Raises MaxConnectionsExceeded, peewee.OperationalError."""
        if not self._state.closed:
            if reuse_if_open:
                return False
            raise peewee.OperationalError("this thread has a connection already")
        self._state.reset()
        with translated:
            connection = self._check_out()
            self._state.set_connection(connection)
            if self.server_version is None:
                self._set_server_version(connection)
            if connection.is_direct is None or clock.steady_s() >= self._clock_due_s:
                self._read_clock(connection)
        return True

    def _read_clock(self, connection: Any) -> None:
        self._clock_due_s = clock.steady_s() + limits.clock_read_every_s
        try:
            with connection.cursor() as cursor:
                for _ in range(limits.clock_readings_max):
                    sent_s = clock.steady_s()
                    cursor.execute(_READ_CLOCK)
                    received_s = clock.steady_s()
                    database_s, backend_pid = cursor.fetchone()
                    connection.is_direct = connection.is_direct is not False and (
                        backend_pid == connection.get_backend_pid()
                    )
                    clock.follow(database_s, sent_s=sent_s, received_s=received_s)
                    if received_s - sent_s <= limits.clock_round_trip_s:
                        break
        except Error:
            self._clock_due_s = 0.0
            self.close()  # else this thread would keep a connection that may be dead
            raise
        skew.warn_of_change()

    def _check_out(self) -> Any:
        deadline = time.monotonic() + self._wait_timeout
        with self._pool_available:
            while (connection := self._take_idle()) is None:
                if len(self._in_use) + self._opening < self._max_connections:
                    self._opening += 1
                    break
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0:
                    raise MaxConnectionsExceeded(f"all {self._max_connections} connections are in use")
                self._pool_available.wait(remaining_s)
        return connection or self._open()

    def _take_idle(self) -> Any:
        """Return an idle connection that works, now in use; None when there is none. The caller
        holds the pool's lock.
        """
        while self._connections:
            opened_at, _, connection = heapq.heappop(self._connections)
            if self._is_closed(connection) or self._is_stale(opened_at):
                self._close_raw(connection)
                continue
            self._in_use[self.conn_key(connection)] = PoolConnection(opened_at, connection, time.monotonic())
            return connection
        return None

    def _open(self) -> Any:
        connection = None
        try:
            connection = peewee.PostgresqlDatabase._connect(self)  # type: ignore[attr-defined]  # likewise
            self._clock_due_s = 0.0
            return connection
        finally:
            with self._pool_available:
                self._opening -= 1
                if connection is None:
                    self._pool_available.notify()
                else:
                    opened = PoolConnection(time.monotonic(), connection, time.monotonic())
                    self._in_use[self.conn_key(connection)] = opened

    def _is_stale(self, timestamp: float) -> bool:
        return bool(time.monotonic() - timestamp > self._stale_timeout)

    def _is_closed(self, conn: Any) -> bool:
        """Return True if an idle connection is of no use: it ended, or the server said something unasked, which it does
        before it ends one.
        """
        return bool(conn.closed) or _is_readable(conn.fileno())

    def _can_reuse(self, conn: Any) -> bool:
        """Return True if a connection may go back to the pool; one with an open transaction is closed, which rolls it
        back.
        """
        return not conn.closed and conn.get_transaction_status() == TRANSACTION_STATUS_IDLE

    def _close(self, conn: Any, close_conn: bool = False) -> None:
        """Give a connection back. One that broke in use takes the idle ones along: their server has most likely gone,
        too.
        """
        broken = bool(conn.closed)
        super()._close(conn, close_conn)
        if broken:
            self.close_idle()

    def abandon(self) -> None:
        """Close this thread's connection and the idle ones, because they lead to the wrong server."""
        if not self._state.closed:
            self._state.conn.close()

    def begin(self, isolation_level: Any = None) -> None:
        assert isolation_level is None, "transactions of the desk are READ COMMITTED"
        self._waiting.begin = True
        self._waiting.has_only_read = True

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        reads, begins = self._takes_reads(sql), self._takes_begin()
        if begins:
            sql = f"BEGIN;{_LIMITS}{_IDLE_LIMIT}{sql}"
        elif not self.in_transaction():
            sql = f"{_LIMITS}{sql}"
        try:
            cursor = super()._execute_cursor(sql, params, **options)
        except Exception:
            if (
                begins
                and not self._state.closed
                and self._state.conn.get_transaction_status() == TRANSACTION_STATUS_IDLE
            ):
                # The driver or the server's parser refused the message, BEGIN with it. The next statement must not run
                # outside.
                self._waiting.begin = True
            raise
        if not reads:
            self._waiting.has_only_read = False
        return cursor

    def execute_prepared(self, text: str, values: Any) -> Any:
        """Execute a translated statement that the connection may prepare.

        Raises OperationalError when the server cannot execute it any more and the transaction has written before; the
        caller may repeat the transaction.
        """
        return self.execute_together([text], values)

    def execute_together(self, texts: Sequence[str], values: Any) -> Any:
        """Execute translated statements, which the connection may prepare, in one message: outside of a transaction
        they are one of their own. Returns the cursor of the last one; raises like `execute_prepared`.
        """
        connection: Connection = self.connection()
        if connection.plans_epoch != self._plans_epoch:
            connection.forget()
            connection.plans_epoch = self._plans_epoch
        was_repeated = False
        while True:
            messages = [connection.message(text) for text in texts]
            message = connection.clean_up() + ";".join(one for one, _ in messages)
            self._waiting.reads = all(is_read(text) for text in texts)
            try:
                cursor = self.execute_sql(message, values)
            except peewee.PeeweeException as error:
                if message == ";".join(texts) or not self._forgot(connection, error):
                    raise
                if was_repeated or not self._starts_again(connection):
                    raise peewee.OperationalError("the server cannot execute the prepared statement") from None
                was_repeated = True
                continue
            for text, (_, next_message) in zip(texts, messages, strict=True):
                if next_message is not None:
                    connection.remember(text, next_message)
            return cursor

    def _forgot(self, connection: Connection, error: peewee.PeeweeException) -> bool:
        """Return True if the server cannot execute a prepared statement; the connection has forgotten its statements.

        A change of a table concerns the statements of all connections, so they forget theirs at their next use.
        """
        code = getattr(getattr(error, "orig", None) or error.__cause__, "pgcode", None)
        if code not in _STATEMENT_GONE:
            return False
        if code == _PLAN_CHANGED:
            self._plans_epoch += 1
            connection.plans_epoch = self._plans_epoch
        connection.forget()
        return True

    def _starts_again(self, connection: Connection) -> bool:
        """Return True if the failed message can be repeated: outside of a transaction, or in a new one in the place of
        one that has only read.

        Each statement sees what is committed when it starts (READ COMMITTED), so reads of an earlier transaction are as
        good as those of the same one, unless they lock rows.
        """
        if not self.in_transaction():
            return True
        if not self._waiting.has_only_read:
            return False
        if connection.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        self._waiting.begin = True
        return True

    def commit(self) -> None:
        if not self._takes_begin():
            super().commit()

    def rollback(self) -> None:
        if not self._takes_begin():
            super().rollback()

    def _takes_reads(self, sql: str) -> bool:
        """Return True if a message only reads. `execute_together` has judged its own message by the texts."""
        reads: bool | None = getattr(self._waiting, "reads", None)
        self._waiting.reads = None
        return is_read(sql) if reads is None else reads

    def _takes_begin(self) -> bool:
        """Return True if this thread's BEGIN still waits; it does not from now on."""
        waits = getattr(self._waiting, "begin", False)
        self._waiting.begin = False
        return waits


def _is_readable(fd: int) -> bool:
    """Return True if bytes, the end of the stream or an error have come. `poll`, because `select` fails from descriptor
    1,024 on.
    """
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
