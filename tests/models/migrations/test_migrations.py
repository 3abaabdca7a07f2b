"""Migrations: any number of processes at once, one applies; a schema that does not fit is refused with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import migrations
from models.kernel import database
from models.kernel.errors import ConfigurationError, SchemaMismatch
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
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip

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

    with pytest.raises(
        SchemaMismatch, match=r"has schema 0, this program needs \d+: run `python -m scripts.migrate`"
    ):
        migrations.check()


def test_a_newer_schema_is_refused_by_check_and_by_run(desk: Desk) -> None:
    with database.transaction():
        database.execute(
            "INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'of_tomorrow', NOW())"
        )

    for refuse in (migrations.check, migrations.run):
        with pytest.raises(SchemaMismatch, match="schema 9999, newer than this program's"):
            refuse()


def test_a_failing_migration_leaves_nothing_half_done(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind(empty_database_url)
    real = migrations.Migration.statements

    def broken(self: migrations.Migration, dialect: migrations.Dialect) -> list[str]:
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
