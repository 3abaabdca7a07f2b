"""Migrations: any number of processes at once, one applies; a schema that does not fit is refused with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from models import migrations
from models.definitions import store
from models.kernel import clock, ids
from models.kernel.errors import ConfigurationError, SchemaMismatch
from models.kernel.storage import database
from models.kernel.storage.dialect import Dialect
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.fixtures_desk import bind

ROOT = Path(__file__).resolve().parents[3]
BY_SQLITE = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def test_four_processes_at_once_on_an_empty_database_one_applies_and_all_succeed(
    empty_database_url: str,
) -> None:
    environment = {**os.environ, "DATABASE_URL": empty_database_url, "LOG_LEVEL": "WARNING"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "scripts.migrate"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]

    told = [process.communicate(timeout=60)[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, "\n".join(told)
    newest = migrations.available()[-1].version
    assert sum(text.count("schema 0001_initial") for text in told) == 1, "\n".join(told)
    bind(empty_database_url)
    with database.connection():
        assert migrations.applied() == newest
    migrations.check()


def test_a_second_run_finds_nothing_to_do(empty_database_url: str) -> None:
    bind(empty_database_url)
    lines: list[str] = []

    first, second = migrations.run(lines.append), migrations.run(lines.append)

    assert (first, second) == (len(migrations.available()), 0)
    assert lines == [f"schema {migration.name}" for migration in migrations.available()]


def test_an_empty_database_is_refused_with_what_to_do(empty_database_url: str) -> None:
    bind(empty_database_url)

    with pytest.raises(SchemaMismatch, match=r"has schema 0, this program needs \d+: run `python -m scripts.migrate`"):
        migrations.check()


def migrated_by_tomorrow(*, min_program: int) -> None:
    with database.transaction():
        database.execute(
            "INSERT INTO schema_migrations (version, name, min_program, applied_at)"
            " VALUES (9999, 'of_tomorrow', :min_program, NOW())",
            min_program=min_program,
        )


def test_a_newer_schema_that_this_program_cannot_use_is_refused_by_check_and_by_run(desk: Desk) -> None:
    migrated_by_tomorrow(min_program=9998)

    for refuse in (migrations.check, migrations.run):
        with pytest.raises(SchemaMismatch, match="schema 9999, newer than this program can use"):
            refuse()


def test_a_newer_schema_that_only_added_is_used_and_logged_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migration Job of a rollout is done, and a pod of the old revision starts from zero."""
    told: list[str] = []
    monkeypatch.setattr(migrations, "log", SimpleNamespace(warning=lambda event, **fields: told.append(event)))
    migrations._warn_once.cache_clear()
    migrated_by_tomorrow(min_program=migrations.available()[-1].version)

    migrations.check()
    migrations.check()

    assert migrations.run() == 0
    assert told == ["schema_newer"]


def test_an_older_schema_is_refused_though_it_asks_for_no_newer_program(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = migrations.available()
    monkeypatch.setattr(
        migrations, "available", lambda: [*real, migrations.Migration(real[-1].version + 1, "of_tomorrow")]
    )

    with pytest.raises(SchemaMismatch, match=r"run `python -m scripts\.migrate` first"):
        migrations.check()


def test_a_migration_that_says_nothing_keeps_the_previous_ones_oldest_program(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind(empty_database_url)
    first, real = migrations.available()[0], migrations.Migration.statements
    oldest = {1: 1, 2: None, 3: 2, 4: None}
    monkeypatch.setattr(migrations, "available", lambda: [migrations.Migration(v, f"of_day_{v}") for v in oldest])
    monkeypatch.setattr(migrations.Migration, "min_program", property(lambda m: oldest[m.version]))
    monkeypatch.setattr(
        migrations.Migration,
        "statements",
        lambda m, dialect: real(first, dialect) if m.version == 1 else [],
    )

    migrations.run()

    with database.connection():
        rows = database.run("SELECT version, min_program FROM schema_migrations ORDER BY version")
    assert [row["min_program"] for row in rows] == [1, 1, 2, 2]


def test_no_migration_asks_for_a_program_that_is_not_there_yet() -> None:
    for migration in migrations.available():
        assert (migration.min_program or 0) <= migration.version, migration.name
    assert migrations.available()[0].min_program == 1, "the first one says where it begins"


def test_a_failing_migration_leaves_nothing_half_done(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bind(empty_database_url)
    real = migrations.Migration.statements

    def broken(self: migrations.Migration, dialect: Dialect) -> list[str]:
        return [*real(self, dialect), "CREATE TABLE half (x integer)", "CREATE NONSENSE"]

    monkeypatch.setattr(migrations.Migration, "statements", broken)
    with pytest.raises(ConfigurationError, match=r"(?is)cannot migrate.*nonsense"):
        migrations.run()
    with database.connection():
        assert migrations.applied() == 0

    monkeypatch.undo()
    assert migrations.run() == len(migrations.available())


def test_versions_are_numbered_without_gaps() -> None:
    versions = [migration.version for migration in migrations.available()]

    assert versions == list(range(1, len(versions) + 1))


@BY_SQLITE
def test_a_path_that_cannot_be_a_database_is_a_clear_refusal(database_engine: str, tmp_path: Path) -> None:
    bind(f"sqlite:///{tmp_path}")  # a folder

    with pytest.raises(ConfigurationError, match="cannot migrate the database: unable to open database file"):
        migrations.run()


@BY_SQLITE
def test_a_file_that_is_no_database_is_a_clear_refusal(database_engine: str, tmp_path: Path) -> None:
    path = tmp_path / "nestor.db"
    path.write_text("a letter to my aunt, long enough to be read as a header of something else\n" * 20)
    bind(f"sqlite:///{path}")

    with pytest.raises(ConfigurationError, match="cannot migrate the database"):
        migrations.run()


def test_activations_keep_their_order_when_they_get_serials_and_later_ones_come_behind(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In force before the migration is in force after it, whatever order the rows were written in."""
    bind(empty_database_url)
    everything = migrations.available()
    monkeypatch.setattr(migrations, "available", lambda: everything[:7])
    migrations.run()
    ordered = sorted(ids.new_id() for _ in range(12))
    with database.transaction():
        for version in (3, 12, 1, 9, 2, 11, 4, 10, 5, 8, 6, 7):
            database.execute(
                "INSERT INTO definition_activations (id, kind, name, version, activated_at, activated_by, reason)"
                " VALUES (:id, 'workflow', 'w', :version, :at, 'tests', 'old')",
                id=ordered[version - 1],
                version=version,
                at=clock.now(),
            )

    monkeypatch.setattr(migrations, "available", lambda: everything)
    migrations.run()
    with database.transaction():
        store.activate("workflow", "w", 5, by="tests", reason="new")

    with database.connection():
        rows = database.run("SELECT version FROM definition_activations ORDER BY serial")
    assert [row["version"] for row in rows] == [*range(1, 13), 5]


def test_tickets_get_the_due_instant_of_their_running_promises(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind(empty_database_url)
    everything = migrations.available()
    before = next(index for index, one in enumerate(everything) if one.name.endswith("_next_due"))
    monkeypatch.setattr(migrations, "available", lambda: everything[:before])
    migrations.run()
    now, tickets = clock.now(), [ids.new_id() for _ in range(3)]
    promises = [
        (0, "first_response", "met", None),
        (0, "resolution", "running", now),
        (1, "resolution", "paused", None),
    ]
    with database.transaction():
        for number, ticket_id in enumerate(tickets):
            database.execute(
                "INSERT INTO tickets (id, number, title, type, priority, state, category, workflow, workflow_version,"
                " channel, fields, created_at, updated_at) VALUES (:id, :number, 't', 'question', 'normal', 'new',"
                " 'todo', 'support', 1, 'api', '{}', :at, :at)",
                id=ticket_id,
                number=number + 1,
                at=now,
            )
        for index, target, state, due_at in promises:
            database.execute(
                "INSERT INTO sla_clocks (ticket_id, target, policy, state, due_at, clock)"
                " VALUES (:ticket, :target, 'p', :state, :due, '{}')",
                ticket=tickets[index],
                target=target,
                state=state,
                due=due_at,
            )

    monkeypatch.setattr(migrations, "available", lambda: everything)
    migrations.run()

    with database.connection():
        rows = database.run("SELECT number, next_due_at FROM tickets ORDER BY number")
    assert [Ticket.converted(row)["next_due_at"] for row in rows] == [now, None, None]
