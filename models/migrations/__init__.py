"""Forward-only schema migrations: numbered files in `versions/` with `statements(dialect) -> list[str]`.

Migrations are additive, because old revisions keep running during a rollout. Each migration is stored with
`min_program`: the oldest program (by its newest migration) that still runs on the new schema. A file without
`min_program` breaks no program and keeps the previous value.

Any number of processes can migrate concurrently. An advisory lock in each migration's transaction (PostgreSQL) or the
write lock (SQLite) admits one process, and the others find nothing to do. Without the lock, two of three processes
fail. `check` refuses a schema that is older than the program, or newer than the program can use.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import peewee

from models.kernel import clock, limits
from models.kernel.errors import ConfigurationError, SchemaMismatch, Unavailable
from models.kernel.storage import database
from models.kernel.storage.dialect import Dialect
from models.kernel.telemetry import logs

log = logs.get("migrations")

_VERSIONS = f"{__name__}.versions"
_LOCK_KEY = 7_126_501  # arbitrary: the key of the advisory lock that all migrators take


@dataclass(frozen=True)
class Migration:
    version: int
    name: str

    @property
    def min_program(self) -> int | None:
        """Return the oldest program that still runs on this schema; None means that it is unchanged."""
        declared: int | None = getattr(importlib.import_module(f"{_VERSIONS}.{self.name}"), "min_program", None)
        return declared

    def statements(self, dialect: Dialect) -> list[str]:
        module = importlib.import_module(f"{_VERSIONS}.{self.name}")
        result: list[str] = module.statements(dialect)
        return result


def available() -> list[Migration]:
    """Return all migrations of this program, in order."""
    names = sorted(
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).with_name("versions"))])
        if module.name[:4].isdigit()
    )
    return [Migration(int(name[:4]), name) for name in names]


def applied() -> int:
    """Return the database's schema version; 0 when it is empty."""
    exists = (
        database.one("SELECT to_regclass('schema_migrations') AS name")
        if database.is_postgres()
        else database.one("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'")
    )
    if exists is None or exists["name"] is None:
        return 0
    row = database.one("SELECT max(version) AS version FROM schema_migrations")
    return int(row["version"] or 0) if row else 0


def check() -> None:
    """Raise SchemaMismatch, saying what to do, unless this program runs on the database's schema.

    A newer schema is accepted if its migrations allow this program: a rollout migrates first, and old revisions serve
    requests until its end.
    """
    newest = available()[-1].version
    with database.connection():
        found = applied()
        needed = _min_program() if found else 0
    if found < newest:
        raise SchemaMismatch(
            f"the database has schema {found}, this program needs {newest}: run `python -m scripts.migrate` first"
        )
    if needed > newest:
        raise SchemaMismatch(
            f"the database has schema {found}, newer than this program can use ({newest}): run the newer release"
        )
    if found > newest:
        _warn_once(found, newest)


def _min_program() -> int:
    """Return the oldest program that runs on the database's schema; 0 when nothing was applied."""
    row = database.one("SELECT max(min_program) AS oldest FROM schema_migrations")
    return int(row["oldest"] or 0) if row else 0


@lru_cache(maxsize=8)
def _warn_once(found: int, newest: int) -> None:
    log.warning("schema_newer", schema=found, program=newest)


_checked = False


def check_once() -> None:
    """Run `check` once per process. A function with a mismatched schema reports it at its first request."""
    global _checked
    if not _checked:
        check()
        _checked = True


def run(progress: Callable[[str], None] = lambda line: None) -> int:
    """Apply the missing migrations, each in one transaction; return their number.

    Raises SchemaMismatch when the database is newer than the program can use, ConfigurationError when it cannot be
    written or another process holds the migration lock for longer than limits.migration_lock_wait_s.
    """
    try:
        with database.connection():
            return _apply(progress)
    except (peewee.DatabaseError, Unavailable) as error:
        reason = error.__cause__ if isinstance(error, Unavailable) else error
        raise ConfigurationError(f"cannot migrate the database: {reason}") from error


def _apply(progress: Callable[[str], None]) -> int:
    everything, done = available(), 0
    found = applied()
    if found > everything[-1].version:
        check()
    dialect = Dialect(database.is_postgres())
    for migration in everything:
        if migration.version > found and _apply_one(migration, dialect):
            progress(f"schema {migration.name}")
            done += 1
    return done


def _apply_one(migration: Migration, dialect: Dialect) -> bool:
    """Apply one migration in its transaction when the lock is free; False when another process applied it."""
    deadline = time.monotonic() + limits.migration_lock_wait_s
    while True:
        with database.transaction():
            if _turn():
                if applied() >= migration.version:
                    return False
                _execute(migration, dialect)
                return True
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another process has been migrating for {limits.migration_lock_wait_s} s; see what it does"
            )
        time.sleep(0.1)


def _execute(migration: Migration, dialect: Dialect) -> None:
    if dialect.postgres:
        database.execute("SET LOCAL lock_timeout = '3s'")
        database.execute("SET LOCAL statement_timeout = 0")
    for statement in migration.statements(dialect):
        database.execute(statement.format(**dialect.words))
    database.execute(
        "INSERT INTO schema_migrations (version, name, min_program, applied_at)"
        " VALUES (:version, :name, :min_program, :at)",
        version=migration.version,
        name=migration.name,
        min_program=migration.min_program or _min_program(),
        at=clock.now(),
    )


def _turn() -> bool:
    """Take the migrators' advisory lock until the end of the transaction; False when another process has it.

    The lock belongs to the transaction, because a pooler in transaction mode shares sessions between clients. SQLite
    needs no such lock: BEGIN IMMEDIATE admits one migrator.
    """
    if not database.is_postgres():
        return True
    return bool(database.run("SELECT pg_try_advisory_xact_lock(:key) AS got", key=_LOCK_KEY)[0]["got"])
