"""Transactions, callbacks, the two engines' words, and what happens when the server goes away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import peewee
import pytest

from models.kernel import clock
from models.kernel.errors import ConfigurationError, Unavailable
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.storage.database import translate
from tests.desk import Desk

BY_SQLITE = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def test_postgresql_reads_parameters_and_its_own_clock() -> None:
    found = translate(
        "UPDATE t SET a = :a, b = NOW_PLUS(:wait_s) WHERE c::text LIKE '10%' AND d <= NOW() FOR_UPDATE SKIP_LOCKED",
        postgres=True,
        shifted=False,
    )

    assert found == (
        "UPDATE t SET a = %(a)s, b = (now() + (%(wait_s)s) * interval '1 second') WHERE c::text LIKE '10%%' AND d"
        " <= now()"
        " FOR UPDATE SKIP LOCKED"
    )


def test_the_shift_of_the_clock_reaches_postgresql() -> None:
    found = translate("SELECT NOW(), NOW_PLUS(1)", postgres=True, shifted=True)

    assert found.count("%(clock_shift_s)s * interval '1 second'") == 2


def test_sqlite_gets_its_function_and_no_locking_words() -> None:
    found = translate(
        "SELECT NOW(), NOW_PLUS(:a * CASE WHEN n < 5 THEN (1 << n) ELSE 32 END), x::jsonb FROM t FOR_UPDATE"
        " SKIP_LOCKED",
        postgres=False,
        shifted=True,
    )

    assert found.replace("  ", " ").strip() == (
        "SELECT now_plus(0), now_plus(:a * CASE WHEN n < 5 THEN (1 << n) ELSE 32 END), x FROM t"
    )


def test_the_databases_clock_moves_with_the_desks(desk: Desk) -> None:
    desk.advance(days=3)

    [row] = desk.rows("SELECT NOW() AS now, NOW_PLUS(:s) AS later", s=60.5)

    now, later = database.instant(row["now"]), database.instant(row["later"])
    assert now is not None
    assert later is not None
    assert abs(now - clock.now()) < timedelta(seconds=5)
    assert abs((later - now).total_seconds() - 60.5) < 0.01


def test_instants_come_back_as_they_went_in_and_compare_in_time_order(desk: Desk) -> None:
    instants = [
        datetime(2026, 3, 1, 23, 59, 59, 999_999, UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
        datetime(2026, 3, 2, 0, 0, 0, 1, UTC),
    ]
    with database.transaction():
        for index, at in enumerate(reversed(instants)):
            database.execute(
                "INSERT INTO timers (name, kind, queue, payload, due_at) VALUES (:n, 'k', 'q', '{}', :at)",
                n=f"t{index}",
                at=at,
            )

    rows = desk.rows("SELECT due_at FROM timers ORDER BY due_at")

    assert [database.instant(row["due_at"]) for row in rows] == instants


def test_callbacks_run_once_after_the_outermost_commit_in_their_order(desk: Desk) -> None:
    ran: list[str] = []

    with database.transaction():
        database.on_commit(lambda: ran.append("first"))
        with database.transaction():
            database.on_commit(lambda: ran.append("second"))
        assert ran == []

    with database.transaction():
        pass
    assert ran == ["first", "second"]


def test_a_callback_that_fails_neither_fails_the_commit_nor_keeps_the_others_from_running(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise RuntimeError("can't start new thread")

    with database.transaction():
        database.execute("UPDATE users SET name = 'Committed'")
        database.on_commit(fail)
        database.on_commit(lambda: ran.append("second"))

    assert ran == ["second"]
    assert {row["name"] for row in desk.rows("SELECT name FROM users")} == {"Committed"}
    assert "after_commit_failed" in caplog.text


def test_callbacks_of_a_rolled_back_transaction_never_run(desk: Desk) -> None:
    ran: list[str] = []

    def undone() -> None:
        database.on_commit(lambda: ran.append("never"))
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        desk.command(undone)
    with database.transaction():
        database.on_commit(lambda: ran.append("later"))

    assert ran == ["later"]


def test_outside_of_a_transaction_a_callback_runs_at_once(desk: Desk) -> None:
    ran: list[int] = []

    with database.connection():
        database.on_commit(lambda: ran.append(1))

    assert ran == [1]


def test_a_callback_may_open_a_transaction_with_callbacks_of_its_own(desk: Desk) -> None:
    ran: list[str] = []

    def outer() -> None:
        with database.transaction():
            database.on_commit(lambda: ran.append("inner"))
        ran.append("outer")

    with database.transaction():
        database.on_commit(outer)

    assert ran == ["inner", "outer"]


def test_callbacks_of_two_threads_do_not_mix(desk: Desk) -> None:
    def work(name: str) -> list[str]:
        ran: list[str] = []
        for _ in range(10):
            with database.transaction():
                database.on_commit(lambda: ran.append(name))
        return ran

    results = desk.in_threads(lambda: work("a"), lambda: work("b"))

    assert results == [["a"] * 10, ["b"] * 10]


def test_writers_in_threads_wait_for_each_other_and_lose_nothing(desk: Desk) -> None:
    with database.transaction():
        database.execute("INSERT INTO rate_buckets (bucket, tat_s) VALUES ('n', 0)")

    def add() -> None:
        for _ in range(25):
            with database.transaction():
                row = database.one("SELECT tat_s FROM rate_buckets WHERE bucket = 'n' FOR_UPDATE")
                assert row is not None
                database.execute("UPDATE rate_buckets SET tat_s = :n WHERE bucket = 'n'", n=row["tat_s"] + 1)

    desk.in_threads(*[add] * 4)

    assert desk.rows("SELECT tat_s FROM rate_buckets") == [{"tat_s": 100.0}]


def test_a_failed_statement_frees_the_writer_for_others(desk: Desk) -> None:
    for _ in range(3):
        with pytest.raises((peewee.OperationalError, peewee.ProgrammingError)):
            desk.command(database.execute, "SELECT nonsense FROM nowhere")

    assert desk.in_threads(lambda: desk.command(database.run, "SELECT 1 AS x")) == [[{"x": 1}]]


def test_a_list_for_in_is_bound_and_an_empty_one_matches_nothing(desk: Desk) -> None:
    places, values = database.in_list("id", ["a", "b"])
    none, no_values = database.in_list("id", [])

    assert (places, values) == ("(:id0, :id1)", {"id0": "a", "id1": "b"})
    assert desk.rows(f"SELECT 1 AS x WHERE 'a' IN {places}", **values) == [{"x": 1}]
    assert desk.rows(f"SELECT 1 AS x WHERE 'a' IN {none}", **no_values) == []


def test_ids_are_bound_in_both_engines(desk: Desk) -> None:
    wanted = UUID(int=7)

    [row] = desk.rows("SELECT CAST(:id AS text) AS id", id=wanted)

    assert row["id"] == str(wanted)


@BY_SQLITE
def test_sqlite_keeps_commits_over_a_power_loss_and_lets_readers_read(desk: Desk) -> None:
    def pragma(name: str) -> object:
        return database.proxy.obj.execute_sql(f"PRAGMA {name}").fetchone()[0]

    with database.connection():
        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2  # FULL
        assert pragma("foreign_keys") == 1
        assert pragma("busy_timeout") == 15_000


@BY_SQLITE
def test_a_thread_of_its_own_has_the_same_pragmas(desk: Desk) -> None:
    def synchronous() -> object:
        with database.connection():
            return database.proxy.obj.execute_sql("PRAGMA synchronous").fetchone()[0]

    assert desk.in_threads(synchronous, synchronous) == [2, 2]


def test_a_server_that_is_away_is_unavailable_at_once(desk: Desk) -> None:
    database.configure(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))

    with pytest.raises(Unavailable):
        database.ping()


def test_a_sqlite_folder_that_cannot_be_made_is_a_clear_refusal(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot make the folder of .*nestor\.db"):
        database.configure(Settings(database_url="sqlite:////dev/null/nestor.db"))
