"""The limits of PostgreSQL's connections: they hold for each statement, leave nothing in the session, and tell what
went wrong.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from models.kernel import limits
from models.kernel.errors import ConfigurationError, Contention, NoFreeConnection, StatementTimeout, Unavailable
from models.kernel.storage import database, postgres
from models.kernel.storage.postgres import PooledPostgres
from queues.processes.outage import Outages
from tests.desk import Desk
from tests.services.waiting import wait_until

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
SHOW = "SELECT current_setting('statement_timeout') AS statement, current_setting('timezone') AS zone"
_join_s = 30.0


def _pool() -> PooledPostgres:
    pool = database.proxy.obj
    assert isinstance(pool, PooledPostgres)
    return pool


def _raw(statement: str) -> Any:
    """The first value of a statement that is sent as it stands, without the desk's limits."""
    cursor = _pool().connection().cursor()
    cursor.execute(statement)
    return cursor.fetchone()[0]


@contextmanager
def _silent_server() -> Iterator[str]:
    """The URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"postgresql://nobody@127.0.0.1:{server.getsockname()[1]}/nowhere"


def test_the_limits_hold_in_a_transaction_and_outside_of_one_and_leave_the_session_as_it_was(
    desk: Desk,
) -> None:
    with database.connection():
        before = _raw("SHOW statement_timeout")
        [alone] = database.run(SHOW)
        with database.transaction():
            [first] = database.run(SHOW)
            [second] = database.run(SHOW)
            idle = database.run("SHOW idle_in_transaction_session_timeout")
        after = _raw("SHOW statement_timeout")

    assert alone == first == second == {"statement": "10s", "zone": "UTC"}
    assert idle == [{"idle_in_transaction_session_timeout": "30s"}]
    assert before == after == "0", "a pooler gives the session to somebody else"


@pytest.mark.parametrize("inside", [True, False], ids=["in a transaction", "alone"])
def test_a_statement_that_takes_too_long_is_cancelled_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.setattr(postgres, "_LIMITS", postgres._LIMITS.replace("'10s'", "'100ms'"))

    with (
        pytest.raises(StatementTimeout) as caught,
        (database.transaction if inside else database.connection)(),
    ):
        database.run("SELECT pg_sleep(20)")

    assert (caught.value.code, caught.value.http_status) == ("database_timeout", 503)
    assert "reach" not in caught.value.message
    assert desk.rows("SELECT 1 AS one") == [{"one": 1}]


def _idle_until_ended(url: str) -> None:
    with database.transaction():
        [mine] = database.run("SELECT pg_backend_pid() AS pid")
        with closing(psycopg2.connect(url)) as outside:
            outside.autocommit = True
            cursor = outside.cursor()

            def is_gone() -> bool:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (mine["pid"],))
                return bool(cursor.fetchone() == (0,))

            wait_until(is_gone, within_s=_join_s, what="the end of an idle transaction")
        database.run("SELECT 1")


def test_a_transaction_that_idles_is_ended_and_the_next_one_works(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_IDLE_LIMIT", postgres._IDLE_LIMIT.replace("'30s'", "'50ms'"))

    with pytest.raises(Unavailable):
        _idle_until_ended(desk.settings.database_url)

    assert desk.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_lock_that_is_not_free_in_time_and_a_deadlock_are_contention(desk: Desk) -> None:
    desk.command(database.execute, "INSERT INTO rate_buckets (bucket, tat_s) VALUES ('a', 0), ('b', 0)")
    met = threading.Barrier(2)

    def lock(first: str, second: str) -> str:
        try:
            with database.transaction():
                database.run("SELECT 1 FROM rate_buckets WHERE bucket = :bucket FOR UPDATE", bucket=first)
                met.wait(_join_s)
                database.run("SELECT 1 FROM rate_buckets WHERE bucket = :bucket FOR UPDATE", bucket=second)
        except Contention as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(lock, "a", "b"), pool.submit(lock, "b", "a")]
        assert sorted(end.result(_join_s) for end in ends) == ["contention", "done"]
    with closing(psycopg2.connect(desk.settings.database_url)) as outside:
        outside.cursor().execute("SELECT 1 FROM rate_buckets WHERE bucket = 'a' FOR UPDATE")
        with pytest.raises(Contention), database.transaction():
            database.run("SELECT 1 FROM rate_buckets WHERE bucket = 'a' FOR UPDATE NOWAIT")


def test_a_server_that_does_not_answer_holds_no_thread_for_another_ones_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "database_connect_s", 2)
    with _silent_server() as url:
        silent = PooledPostgres(url, max_connections=8, stale_timeout=300, timeout=1, **postgres.connect_options(url))

        def connect(_: int) -> float:
            started = time.monotonic()
            with pytest.raises(Exception, match="timeout expired"):
                silent.connect()
            return time.monotonic() - started

        with ThreadPoolExecutor(8) as pool:
            waits_s = list(pool.map(connect, range(8)))

    assert max(waits_s) < 2 * min(waits_s) + 1, f"one after the other: {waits_s}"


def test_a_connection_that_breaks_in_use_takes_the_idle_ones_along(desk: Desk) -> None:
    def pids(count: int) -> set[int]:
        all_there = threading.Barrier(count)

        def pid(_: int) -> int:
            with database.connection():
                [row] = database.run("SELECT pg_backend_pid() AS pid")
                all_there.wait(_join_s)
                return int(row["pid"])

        with ThreadPoolExecutor(count) as pool:
            return set(pool.map(pid, range(count)))

    before = pids(3)
    with pytest.raises(Unavailable), database.connection():
        database.run("SELECT pg_terminate_backend(pg_backend_pid())")

    assert not before & pids(3), "they lead to a server that is most likely gone"


def test_a_server_that_became_a_standby_is_left_for_a_new_connection(desk: Desk) -> None:
    def write() -> None:
        with database.transaction():
            database.execute("SET LOCAL transaction_read_only = on")
            database.execute("INSERT INTO rate_buckets (bucket, tat_s) VALUES ('a', 0)")

    [before] = desk.rows("SELECT pg_backend_pid() AS pid")
    with pytest.raises(Unavailable):
        write()

    [after] = desk.rows("SELECT pg_backend_pid() AS pid")
    assert after["pid"] != before["pid"]


def test_a_connection_notices_a_peer_that_vanished(desk: Desk) -> None:
    with database.connection(), socket.socket(fileno=os.dup(_pool().connection().fileno())) as connected:
        user_timeout_ms = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        keepalive = connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle_s = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)

    assert user_timeout_ms == limits.server_lost_s * 1000
    assert keepalive == 1
    assert idle_s < limits.server_lost_s


def test_what_the_url_says_wins_and_several_hosts_keep_working(desk: Desk) -> None:
    url = desk.settings.database_url.replace("@", "@127.0.0.1:1,", 1)
    url += "?target_session_attrs=read-write&connect_timeout=9"

    options = postgres.connect_options(url)
    with closing(psycopg2.connect(url, **options)) as connected:
        told: Callable[[], dict[str, str]] = connected.get_dsn_parameters
        assert told()["connect_timeout"] == "9"
    assert "connect_timeout" not in options
    assert options["tcp_user_timeout"] == limits.server_lost_s * 1000


def test_a_url_that_cannot_be_read_is_reported_without_its_password(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as caught:
        postgres.connect_options("postgresql://nestor:sec%ret@db/nestor")

    assert "sec" not in caught.value.message.replace("DATABASE_URL", "")


def test_a_pool_whose_connections_stay_in_use_is_no_outage(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = _pool()
    monkeypatch.setattr(pool, "_max_connections", 1)
    monkeypatch.setattr(pool, "_wait_timeout", 0.05)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.connection():
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(30)
        with pytest.raises(NoFreeConnection) as caught, database.connection():
            pass
    finally:
        done.set()
        holder.join()

    outages = Outages()
    outages.note(caught.value)
    assert (caught.value.code, caught.value.http_status) == ("no_free_connection", 503)
    assert outages.wait_s() == 0.0


def test_no_statement_is_compiled_in_a_transaction_or_outside(desk: Desk) -> None:
    """Compilation takes seconds for a list whose rows cost milliseconds."""
    jit = "SELECT current_setting('jit') AS jit"

    assert desk.rows(jit) == [{"jit": "off"}]
    with database.transaction():
        assert database.run(jit) == [{"jit": "off"}]
    with database.connection():
        assert _raw("SHOW jit") == "on", "the session keeps the server's setting"
