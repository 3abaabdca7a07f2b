"""The pool's savings: what it does not ask the server, and that it still notices a server that went away."""

from __future__ import annotations

import peewee
import psycopg2
import pytest

from models.kernel import clock
from models.kernel.storage import database
from models.kernel.storage.postgres import PooledPostgres
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)


def _pool() -> PooledPostgres:
    pool = database.proxy.obj
    assert isinstance(pool, PooledPostgres)
    return pool


def _cut_off_everybody(desk: Desk) -> None:
    """What a restart of the server does to its clients."""
    outside = psycopg2.connect(desk.settings.database_url)
    try:
        outside.autocommit = True
        outside.cursor().execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        outside.close()


def test_a_connection_that_the_server_closed_is_replaced_before_anybody_notices(desk: Desk) -> None:
    [before] = desk.rows("SELECT pg_backend_pid() AS pid")

    _cut_off_everybody(desk)

    [after] = desk.rows("SELECT pg_backend_pid() AS pid")
    assert after["pid"] != before["pid"]


def test_a_checkout_asks_the_server_nothing(desk: Desk) -> None:
    desk.rows("SELECT 'the last question' AS said")
    with database.connection():
        pass

    outside = psycopg2.connect(desk.settings.database_url)
    try:
        cursor = outside.cursor()
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nestor'"
        )
        [(last,)] = cursor.fetchall()
        assert last.endswith(";SELECT 'the last question' AS said")
    finally:
        outside.close()


def test_begin_travels_with_the_first_statement(desk: Desk) -> None:
    with database.transaction():
        [first] = database.run("SELECT now() AS at, pg_current_xact_id()::text AS xid")
        [second] = database.run("SELECT now() AS at, pg_current_xact_id()::text AS xid")

    assert first == second, "both belong to one transaction"


def test_a_transaction_without_statements_leaves_the_connection_idle(desk: Desk) -> None:
    with database.connection():
        with database.transaction():
            pass
        database.run("SELECT 1")
        status = _pool().connection().info.transaction_status

    assert status == psycopg2.extensions.TRANSACTION_STATUS_IDLE


def test_a_first_statement_that_fails_ends_its_transaction_and_the_next_one_works(desk: Desk) -> None:
    with pytest.raises(peewee.ProgrammingError), database.transaction():
        database.execute("SELECT * FROM no_such_table")

    with database.transaction():
        database.execute("INSERT INTO rate_buckets (bucket, tat_s) VALUES ('kept', 0)")

    assert desk.rows("SELECT bucket FROM rate_buckets") == [{"bucket": "kept"}]


def test_an_error_before_the_first_statement_takes_its_begin_along(desk: Desk) -> None:
    with pytest.raises(ValueError, match="before"), database.connection(), database.transaction():
        raise ValueError("before")

    with database.connection():
        database.execute("INSERT INTO rate_buckets (bucket, tat_s) VALUES ('kept', :now)", now=clock.now().timestamp())

    assert len(desk.rows("SELECT bucket FROM rate_buckets")) == 1, "it was committed by itself"


@pytest.mark.parametrize(("statement", "value"), [("SELECT :value", "a\x00b"), ("SELEKT :value", "a")])
def test_a_first_statement_that_never_runs_leaves_the_next_ones_in_the_transaction(
    desk: Desk, statement: str, value: str
) -> None:
    """The driver refuses a NUL, and the server's parser refuses the whole message with BEGIN in it."""

    def write_and_fail() -> None:
        with pytest.raises((ValueError, peewee.ProgrammingError)):
            database.execute(statement, value=value)
        database.execute("INSERT INTO rate_buckets (bucket, tat_s) VALUES ('x', 1)")
        raise RuntimeError("roll back")

    with pytest.raises(RuntimeError, match="roll back"), database.transaction():
        write_and_fail()

    assert desk.rows("SELECT * FROM rate_buckets WHERE bucket = 'x'") == []
