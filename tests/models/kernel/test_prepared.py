"""Statements that a connection prepares: the results stay the same, and a server that forgot them is no dead end."""

from __future__ import annotations

from datetime import UTC, datetime

import peewee
import pytest

from models.kernel.errors import Unavailable
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.kernel.storage.prepared import Prepared
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
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


def test_a_connection_whose_server_forgot_a_statement_sends_its_text_from_then_on(desk: Desk) -> None:
    with database.connection():
        for _ in range(3):
            database.one(_COUNT, email="admin@example.test")
        database.run("DEALLOCATE ALL")

        with pytest.raises(Unavailable), database.connection():
            database.one(_COUNT, email="admin@example.test")

        assert database.one(_COUNT, email="admin@example.test") == {"found": 1}
        assert _prepared() == []


def test_a_migration_that_changes_the_type_of_a_column_stops_a_prepared_statement_once(desk: Desk) -> None:
    read = Prepared("SELECT value FROM kept WHERE name = :name")

    with database.connection():
        database.execute("CREATE TABLE kept (name text PRIMARY KEY, value bigint)")
        database.execute("INSERT INTO kept (name, value) VALUES ('migrated', 7)")
        for _ in range(3):
            database.one(read, name="migrated")
        database.execute("ALTER TABLE kept ALTER COLUMN value TYPE numeric")

        with pytest.raises(Unavailable), database.connection():
            database.one(read, name="migrated")

        row = database.one(read, name="migrated")
        assert row is not None
        assert row["value"] == 7
