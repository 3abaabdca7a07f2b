"""Statements that a connection prepares: the results stay the same, and a server that forgot them is no dead end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import peewee
import pytest

from models.kernel.errors import Unavailable
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.kernel.storage.prepared import Prepared, forgotten_max
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
_WITHIN_S = 30.0
_COUNT = Prepared("SELECT count(*) AS found FROM users WHERE email = :email")


def _prepared() -> list[str]:
    """The statements that this thread's server process has prepared."""
    return [row["statement"] for row in database.run("SELECT statement FROM pg_prepared_statements ORDER BY name")]


def test_a_statement_is_prepared_at_its_second_use_on_a_connection(desk: Desk) -> None:
    with database.connection():
        database.one(_COUNT, email="admin@example.test")
        before = [one for one in _prepared() if "FROM users WHERE email = $1" in one]
        database.one(_COUNT, email="admin@example.test")
        after = [one for one in _prepared() if "FROM users WHERE email = $1" in one]

    assert before == []
    assert len(after) == 1


def test_a_prepared_insert_stores_values_of_every_type_as_a_text_does(desk: Desk) -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    values: database.Row = {
        "fields": {"a %s": [1, "\\", "'"]},
        "tags": ["x", "y"],
        "team": None,
        "title": "100 % 'true'; --",
    }

    with database.transaction():
        database.execute(
            "CREATE TEMPORARY TABLE kept (id uuid, at timestamptz, fields jsonb, tags jsonb, team text, title text,"
            " n bigint, share double precision, is_open boolean, raw bytea) ON COMMIT DROP"
        )
        ids = [new_id() for _ in range(4)]
        for one in ids:
            batch = Batch()
            row: database.Row = {
                "id": one,
                "at": at,
                "n": 2**40,
                "share": 0.1,
                "is_open": True,
                "raw": b"\0\xff",
                **values,
            }
            batch.insert("kept", row)
            batch.write()
        assert any("INSERT INTO kept" in one for one in _prepared())
        found = database.run("SELECT DISTINCT at, fields, tags, team, title, n, share, is_open, raw FROM kept")
        kept_ids = {str(row["id"]) for row in database.run("SELECT id FROM kept")}

    kept: database.Row = found[0]
    assert kept_ids == {str(one) for one in ids}
    assert bytes(kept.pop("raw")) == b"\0\xff"
    assert (len(found), kept) == (1, {"at": at, "n": 2**40, "share": 0.1, "is_open": True, **values})


def test_a_prepared_statement_reports_the_rows_that_it_changed(desk: Desk) -> None:
    rename = Prepared("UPDATE users SET name = :name WHERE email = :email")

    with database.transaction():
        counts = [database.execute(rename, name="Ada", email="admin@example.test").rowcount for _ in range(3)]
        missed = database.execute(rename, name="Ada", email="nobody@example.test").rowcount

    assert counts == [1, 1, 1]
    assert missed == 0


def test_an_insert_that_fails_while_it_is_prepared_works_afterwards(desk: Desk) -> None:
    insert = Prepared("INSERT INTO kept (name, value) VALUES (:name, 1)")

    with database.connection():
        database.execute("CREATE TABLE kept (name text PRIMARY KEY, value bigint)")
        for name in ("first", "first", "second", "third", "fourth"):
            try:
                with database.transaction():
                    database.execute(insert, name=name)
            except peewee.IntegrityError:
                assert name == "first"
        stored = database.run("SELECT name FROM kept")

    assert {row["name"] for row in stored} == {"first", "second", "third", "fourth"}


@pytest.mark.parametrize("forget", ["DEALLOCATE ALL", "DISCARD ALL"])
def test_a_statement_that_the_server_forgot_is_prepared_again_in_the_same_request(desk: Desk, forget: str) -> None:
    with database.connection():
        for _ in range(3):
            database.one(_COUNT, email="admin@example.test")
        server_forgets(forget)

        found = [database.one(_COUNT, email="admin@example.test") for _ in range(2)]

        assert found == [{"found": 1}] * 2
        assert len([one for one in _prepared() if "FROM users WHERE email = $1" in one]) == 1


def test_a_migration_that_changes_the_type_of_a_column_fails_no_read(desk: Desk) -> None:
    read = Prepared("SELECT value FROM kept WHERE name = :name")
    table_of(7)
    with database.connection():
        for _ in range(3):
            database.one(read, name="kept")
        database.execute("ALTER TABLE kept ALTER COLUMN value TYPE numeric")

        rows = [database.one(read, name="kept") for _ in range(2)]

    assert [row and row["value"] for row in rows] == [7, 7]


@pytest.mark.parametrize("reads_before", [0, 1])
def test_a_transaction_that_has_only_read_starts_again_when_a_statement_is_gone(desk: Desk, reads_before: int) -> None:
    write = Prepared("UPDATE kept SET value = value + 1 WHERE name = :name")
    table_of(0)
    with database.connection():
        for _ in range(3):
            database.execute(write, name="kept")
        server_forgets("DISCARD ALL")

        with database.transaction():
            for _ in range(reads_before):
                database.run("SELECT value FROM kept")
            database.execute(write, name="kept")
        stored = database.run("SELECT value FROM kept")

    assert stored == [{"value": 4}]


@pytest.mark.parametrize(
    "before",
    ["INSERT INTO kept VALUES ('other', 1)", "SELECT value FROM kept FOR UPDATE", "SAVEPOINT here"],
)
def test_a_transaction_that_wrote_or_locked_is_rolled_back_whole_and_can_be_repeated(desk: Desk, before: str) -> None:
    read = Prepared("SELECT value FROM kept WHERE name = :name")
    table_of(7)

    def work() -> database.Row | None:
        with database.transaction():
            database.execute(before)
            return database.one(read, name="kept")

    with database.connection():
        for _ in range(3):
            database.one(read, name="kept")
        server_forgets("DISCARD ALL")

    with pytest.raises(Unavailable):
        work()

    with database.connection():
        assert database.run("SELECT count(*) AS n FROM kept") == [{"n": 1}]
    assert work() == {"value": 7}


def test_after_a_migration_every_connection_prepares_again_before_it_fails(desk: Desk) -> None:
    """One connection meets the change; the others forget their statements before they use them in a transaction that
    wrote.
    """
    read = Prepared("SELECT value FROM kept WHERE name = :name")
    table_of(7)
    prepared, changed = threading.Barrier(2, timeout=_WITHIN_S), threading.Event()

    def on_another_connection() -> database.Row | None:
        with database.connection():
            for _ in range(3):
                database.one(read, name="kept")
            prepared.wait()
            assert changed.wait(_WITHIN_S)
            with database.transaction():
                database.execute("INSERT INTO kept VALUES ('other', 1)")
                return database.one(read, name="kept")

    with ThreadPoolExecutor(1) as pool, database.connection():
        other = pool.submit(on_another_connection)
        for _ in range(3):
            database.one(read, name="kept")
        prepared.wait()
        database.execute("ALTER TABLE kept ALTER COLUMN value TYPE numeric")
        database.one(read, name="kept")
        changed.set()

        assert other.result(_WITHIN_S) == {"value": 7}


def test_two_connections_give_their_statements_different_names(desk: Desk) -> None:
    def names() -> set[str]:
        with database.connection():
            for _ in range(3):
                database.one(_COUNT, email="admin@example.test")
            return {row["name"] for row in database.run("SELECT name FROM pg_prepared_statements")}

    with database.connection(), ThreadPoolExecutor(1) as pool:
        mine, theirs = names(), pool.submit(names).result(_WITHIN_S)

    assert mine
    assert theirs
    assert not mine & theirs


def test_a_connection_whose_statements_vanish_again_and_again_sends_texts(desk: Desk) -> None:
    with database.connection():
        for _ in range(forgotten_max + 2):
            for _ in range(3):
                assert database.one(_COUNT, email="admin@example.test") == {"found": 1}
            server_forgets("DISCARD ALL")

        for _ in range(3):
            assert database.one(_COUNT, email="admin@example.test") == {"found": 1}
        assert _prepared() == []


def table_of(value: int) -> None:
    """Make the table `kept` with one row."""
    with database.connection():
        database.execute("CREATE TABLE kept (name text PRIMARY KEY, value bigint)")
        database.execute("INSERT INTO kept (name, value) VALUES ('kept', :value)", value=value)


def server_forgets(statement: str) -> None:
    """Execute DISCARD ALL or the like on this thread's connection, alone in its message as PostgreSQL wants it."""
    with database.proxy.obj.connection().cursor() as cursor:
        cursor.execute(statement)
