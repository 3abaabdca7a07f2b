"""Behind PgBouncer in transaction mode: the limits hold, and no transaction leaves anything in a session that another
one gets.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from models import migrations
from models.kernel.errors import StatementTimeout, Unavailable
from models.kernel.storage import database, postgres
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.prepared import Connection, Prepared
from tests.fixtures_desk import bind
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer
from tests.services.waiting import wait_until

_within_s = 30.0


@pytest.fixture
def pooled_url(pooler: PgBouncer, postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database through the pooler; this process is bound to it."""
    direct = postgres_server.create_database()
    url = pooler.url_of(direct)
    bind(url)
    yield url
    database.proxy.obj.close_all()
    postgres_server.drop_database(direct)


def _first(url: str, statement: str) -> object:
    """The first value of a statement that another client sends through the same pooler."""
    with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
        other.autocommit = True
        cursor.execute(statement)
        row = cursor.fetchone()
        return None if row is None else row[0]


def test_a_statement_beyond_the_limit_is_cancelled(pooled_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_LIMITS", postgres._LIMITS.replace("'10s'", "'200ms'"))

    with pytest.raises(StatementTimeout), database.connection():
        database.run("SELECT pg_sleep(20)")
    with pytest.raises(StatementTimeout), database.transaction():
        database.run("SELECT pg_sleep(20)")

    with database.connection():
        assert database.run("SELECT 1 AS one") == [{"one": 1}]


def test_an_idle_transaction_is_ended(pooled_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_IDLE_LIMIT", postgres._IDLE_LIMIT.replace("'30s'", "'100ms'"))

    def idle() -> None:
        with database.transaction():
            [mine] = database.run("SELECT pg_backend_pid() AS pid")
            gone = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {mine['pid']}"
            wait_until(lambda: _first(pooled_url, gone) == 0, within_s=_within_s, what="the end of a transaction")
            database.run("SELECT 1")

    with pytest.raises(Unavailable):
        idle()

    with database.connection():
        assert database.run("SELECT 1 AS one") == [{"one": 1}]


def test_the_desks_limits_and_locks_reach_no_other_client_of_the_pooler(pooled_url: str) -> None:
    def work(_: int) -> str:
        with database.transaction():
            advisory_lock("somebody")
            [row] = database.run("SELECT current_setting('statement_timeout') AS timeout")
        return str(row["timeout"])

    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(work, range(40)))

    assert told == {"10s"}
    for _ in range(5):
        assert _first(pooled_url, "SHOW statement_timeout") == "0"
    assert _first(pooled_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


def test_four_migrators_at_once_behind_the_pooler_all_succeed(pooled_url: str) -> None:
    code = (
        "from models import migrations; from models.kernel.storage import database; from models.kernel import settings;"
        "database.configure(settings.Settings(database_url=__import__('sys').argv[1]));"
        "print(migrations.run())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, pooled_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in running]

    assert [status for _, status in ends] == [0, 0, 0, 0], ends
    assert sum(int(said) for (said, _), _ in ends) == len(migrations.available())
    migrations.check()
    assert _first(pooled_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


def test_no_statement_is_prepared_on_a_connection_of_the_pooler(pooled_url: str) -> None:
    statement = Prepared("SELECT CAST(:n AS integer) AS n")

    with database.connection():
        found = [database.one(statement, n=n) for n in range(5)]
        names = database.run("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%AS integer%'")

    assert found == [{"n": n} for n in range(5)]
    assert names == []


def test_a_pooler_that_hides_itself_never_executes_the_statement_of_another_client(
    pooled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With equal names, a client would execute the statement that another one prepared on the same connection."""
    monkeypatch.setattr(Connection, "is_direct", property(lambda _: True, lambda *_: None), raising=False)
    statements = [Prepared(f"SELECT CAST(:n AS integer) + {100 * client} AS found") for client in range(6)]

    def client(number: int) -> set[int]:
        with database.connection():
            return {int(row["found"]) for _ in range(40) if (row := database.one(statements[number], n=1)) is not None}

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(client, range(6)))

    assert found == [{1 + 100 * number} for number in range(6)]
