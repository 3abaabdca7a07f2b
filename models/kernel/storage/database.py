"""One database behind two engines: PostgreSQL in production, SQLite in the embedded desk.

Statements are written once, with `:name` parameters and the tokens NOW(), NOW_PLUS(:seconds) and FOR_UPDATE, and
translated per engine (`translate`). Transactions are opened by the function or the actor (`transaction`), joined by
commands, and never held across the network. `on_commit` runs what must wait until the change is certain.

SQLite runs with WAL, synchronous=FULL, BEGIN IMMEDIATE, and one lock of ours: its own busy handler starves writers.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast
from uuid import UUID

import peewee
from playhouse.pool import MaxConnectionsExceeded

from models.kernel import clock, limits
from models.kernel.errors import ConfigurationError, Contention, NoFreeConnection, StatementTimeout, Unavailable
from models.kernel.settings import Settings
from models.kernel.storage import skew, sqlite_trouble
from models.kernel.storage.postgres import PooledPostgres, connect_options
from models.kernel.storage.prepared import Prepared
from models.kernel.storage.translation import translate as translate
from models.kernel.telemetry import logs

log = logs.get("database")
proxy = peewee.DatabaseProxy()
Row: TypeAlias = dict[str, Any]  # a row of a hand-written statement, by the names that the statement selects
Parameters: TypeAlias = dict[str, Any]  # the values of a statement's parameters, by name
_R = TypeVar("_R")


class _OneWriterSqlite(peewee.SqliteDatabase):
    """SQLite whose writers queue at a Python lock instead of SQLite's sleeping busy handler."""

    def __init__(self, path: str) -> None:
        super().__init__(
            path,
            pragmas={"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 15_000},
            timeout=15,
            lock_type="IMMEDIATE",
        )
        self._one_writer = threading.RLock()
        self.register_function(lambda seconds: _sqlite_instant(clock.now(), seconds), "now_plus", 1)

    def _connect(self) -> Any:
        connection = super()._connect()  # type: ignore[misc]  # a private hook that peewee's stubs leave out
        # SQLite's own LIKE knows upper and lower case of ASCII only; a Russian desk searches too. (Not by
        # register_function, which keeps one function a name; LIKE is two, with and without ESCAPE.)
        for parameters in (2, 3):
            connection.create_function("like", parameters, _sqlite_like, deterministic=True)
        return connection

    def begin(self, lock_type: str | None = None) -> Any:
        self._one_writer.acquire()
        try:
            return super().begin(lock_type)
        except BaseException:
            self._one_writer.release()
            raise

    def commit(self) -> Any:
        try:
            return super().commit()
        finally:
            self._release()

    def rollback(self) -> Any:
        try:
            # SQLite rolls back by itself when its disk is full or fails; a second ROLLBACK would hide that error behind
            # its own.
            active = self.connection().in_transaction  # type: ignore[no-untyped-call]  # peewee's stubs leave it out
            return super().rollback() if active else None
        finally:
            self._release()

    def _release(self) -> None:
        try:
            self._one_writer.release()
        except RuntimeError:  # a rollback after a failed commit: the lock is already free
            log.debug("writer_lock_already_free")


@lru_cache(maxsize=64)
def _like_pattern(pattern: str, escape: str | None) -> re.Pattern[str]:
    parts, characters = [], iter(pattern)
    for character in characters:
        if character == escape:
            parts.append(re.escape(next(characters, "")))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _sqlite_like(pattern: str | None, text: str | None, escape: str | None = None) -> bool | None:
    """LIKE as PostgreSQL's ILIKE: without regard to case in every script."""
    if pattern is None or text is None:
        return None
    return _like_pattern(pattern, escape).fullmatch(str(text)) is not None


def _sqlite_instant(at: datetime, plus_s: float) -> str:
    return _adapt_datetime(datetime.fromtimestamp(at.timestamp() + plus_s, UTC))


def _adapt_datetime(at: datetime) -> str:
    """Instants in SQLite: text of fixed width, so that they compare in time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")


sqlite3.register_adapter(datetime, _adapt_datetime)
sqlite3.register_adapter(UUID, str)


def instant(value: Any) -> datetime | None:
    """Return an instant as either engine returns it."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value)


def configure(settings: Settings) -> None:
    """Bind the tables to the database that the settings name; opens no connection.

    Raises ConfigurationError when SQLite's folder cannot be written or PostgreSQL's URL cannot be read.
    """
    if proxy.obj is not None and not proxy.obj.is_closed():
        proxy.obj.close()
    clock.forget_database()
    skew.forget()
    if settings.database_url.startswith("sqlite:///"):
        path = settings.database_url.removeprefix("sqlite:///")
        if path not in ("", ":memory:"):
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"cannot make the folder of {path}: {error.strerror}") from error
        proxy.initialize(_OneWriterSqlite(path))
        return
    url = settings.database_url.replace("postgres://", "postgresql://", 1)
    proxy.initialize(
        PooledPostgres(
            url,
            max_connections=settings.database_pool_max,
            stale_timeout=300,
            timeout=limits.database_wait_s,
            **connect_options(url),
        )
    )


def is_postgres() -> bool:
    return isinstance(proxy.obj, peewee.PostgresqlDatabase)


class _Units(threading.local):
    def __init__(self) -> None:
        self.depth = 0


_units = _Units()


# What the server says about itself, as opposed to about a statement (IntegrityError, ProgrammingError, DataError).
_SERVER_ERRORS = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)


@contextmanager
def connection() -> Iterator[None]:
    """Hold a connection for the length of one request or task; reentrant.

    A connection that a thread keeps fails forever after the server drops it, so each unit of work checks one out.
    SQLite keeps one a thread: closing the last one checkpoints the log.
    Raises Unavailable when the database is away, NoFreeConnection when the pool stayed empty, StatementTimeout or
    Contention when the database gave up.
    """
    database = proxy.obj
    outermost = _units.depth == 0
    try:
        database.connect(reuse_if_open=True)
    except MaxConnectionsExceeded as error:
        raise NoFreeConnection() from error
    except (peewee.OperationalError, peewee.InterfaceError) as error:
        raise Unavailable() from error
    _units.depth += 1
    try:
        yield
    except _SERVER_ERRORS as error:
        if (trouble := passing_trouble(error)) is None:
            raise
        if _sqlstate(error) == _READ_ONLY:
            database.abandon()
        raise trouble from error
    finally:
        _units.depth -= 1
        # The outermost unit gives the connection back also when it found it open: a statement outside of any unit opens
        # one that would stay with its thread, and fail from then on, once the server has gone away.
        if outermost and is_postgres():
            database.close()


# SQLSTATEs (PostgreSQL manual, appendix A) after which nothing was changed and the same again may work: the server went
# away (08, 57P0x, 25P03), has no room (53), or has become a standby (25006).
_AWAY_CLASSES = ("08", "53")
_READ_ONLY = "25006"
_AWAY = frozenset({"57P01", "57P02", "57P03", "25P03", _READ_ONLY})
_TIMEOUTS = frozenset({"57014"})
_CONTENTION = frozenset({"40001", "40P01", "55P03"})  # serialisation failure, deadlock, lock timeout


def _sqlstate(error: peewee.PeeweeException) -> str | None:
    return getattr(getattr(error, "orig", None) or error.__cause__, "pgcode", None)


def passing_trouble(error: peewee.PeeweeException) -> Unavailable | None:
    """Return the error for a caller who may try again; None for a statement that is wrong."""
    if not isinstance(error, _SERVER_ERRORS):
        return None
    if not is_postgres():
        return sqlite_trouble.passing(error)
    code = _sqlstate(error)
    if code in _TIMEOUTS:
        return StatementTimeout()
    if code in _CONTENTION:
        return Contention()
    if code is None or code.startswith(_AWAY_CLASSES) or code in _AWAY:
        return Unavailable()
    return None


class _Commits(threading.local):
    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []


_commits = _Commits()


@contextmanager
def transaction() -> Iterator[None]:
    """Open a transaction, or join the one that is open; callbacks of `on_commit` run after the outermost commit."""
    database = proxy.obj
    if database.in_transaction():
        yield
        return
    with connection():
        _commits.callbacks = []
        try:
            with database.transaction():
                yield
        except BaseException:
            _commits.callbacks = []
            raise
        callbacks, _commits.callbacks = _commits.callbacks, []
    for callback in callbacks:
        try:
            callback()
        except Exception as error:
            # The change is certain: its caller gets an answer, and the other callbacks run.
            log.error("after_commit_failed", exc_info=error)


def on_commit(callback: Callable[[], None]) -> None:
    """Run `callback` once the change is certain. An error of it is logged, because nobody can undo the commit.

    So a callback only hastens or caches: the rows must be enough to do its work later.
    """
    if proxy.obj.in_transaction():
        _commits.callbacks.append(callback)
    else:
        callback()


def in_transaction() -> bool:
    return bool(proxy.obj.in_transaction())


def run(statement: str, parameters: Mapping[str, Any] | None = None, /, **named: Any) -> list[Row]:
    """Execute one statement and return its rows (empty for statements that return none)."""
    return fetched(execute(statement, parameters, **named))


def fetched(cursor: Any) -> list[Row]:
    """Return the rows of a cursor."""
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def execute(statement: str, parameters: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
    """Execute one statement and return the driver's cursor (for `rowcount`)."""
    [text], values = translated([statement], {**(parameters or {}), **named})
    execute = proxy.obj.execute_prepared if isinstance(statement, Prepared) and is_postgres() else proxy.obj.execute_sql
    return execute(text, values)


def translated(statements: Sequence[str], values: Parameters) -> tuple[list[str], Parameters]:
    """Return statements and the values of their parameters as the engine takes them."""
    postgres = is_postgres()
    shift = clock.shift()
    if postgres:
        values = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
        if shift:
            values["clock_shift_s"] = shift.total_seconds()
    return [translate(one, postgres=postgres, shifted=bool(shift)) for one in statements], values


def one(statement: str, parameters: Mapping[str, Any] | None = None, /, **named: Any) -> Row | None:
    """Return the only row, or None."""
    rows = run(statement, parameters, **named)
    return rows[0] if rows else None


def rows(query: Any) -> list[Row]:
    """Return a composed query's rows as dicts; peewee's own types promise model instances even after `.dicts()`."""
    return [dict(row) for row in query.dicts()]


def rows_as(kind: type[_R], query: Any) -> list[_R]:
    """Return a composed query's rows as `kind`, a TypedDict (tests/models/test_row_types.py compares the names)."""
    return cast("list[_R]", rows(query))


def in_list(name: str, values: Sequence[Any]) -> tuple[str, Parameters]:
    """`(:name0, :name1)` and its parameters, for `IN`; an empty list matches nothing."""
    if not values:
        return "(NULL)", {}
    names = {f"{name}{index}": value for index, value in enumerate(values)}
    return "(" + ", ".join(f":{key}" for key in names) + ")", names


def ping() -> None:
    """Make one round trip. Raises Unavailable when the database is away."""
    with connection():
        run("SELECT 1")
