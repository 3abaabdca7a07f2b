"""The `desk` fixture on both engines, from a database that is migrated, published and seeded once a session.

A test that means one engine only says so: `@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models import migrations
from models.definitions import store
from models.events import fan_out
from models.events.following import notices, reading
from models.kernel import clock, settings
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.notice_settings import commands as notice_settings
from models.publishing import workflows
from models.tasks import wakeups

if TYPE_CHECKING:  # loaded by the first test that asks for a desk, not by every test session
    from tests.desk import Desk
    from tests.pristine import PristineDatabase
    from tests.services.postgres import PostgresServer

SECRET_KEY = "forty-two characters for the desk's tests"
# The demo accounts' credentials; an address of TEST-NET, so that a test that reaches the network fails at once.
SECRETS = {
    "TELEGRAM_DEMO_TOKEN": "42:demo",
    "TELEGRAM_DEMO_SECRET_TOKEN": "demo-secret",
    "EMAIL_DEMO_BEARER": "demo-secret",
    "EMAIL_DEMO_SMTP_URL": "smtp://192.0.2.1:25",
    "WEBHOOK_DEMO_BEARER": "demo-secret",
    "WEBHOOK_DEMO_REPLY_URL": "http://192.0.2.1:80/",
}


def bind(url: str) -> Settings:
    """Bind this process to a database and drop everything remembered of another one."""
    _unbind()
    config = Settings(database_url=url, secret_key=SECRET_KEY)
    database.configure(config)
    return config


def _unbind() -> None:
    from queues.processes.lease_keeper import keeper
    from queues.processes.outage import outages

    bound = database.proxy.obj
    if bound is not None:
        if database.is_postgres():
            bound.close_all()
        elif not bound.is_closed():
            bound.close()
    if keeper.cache_info().currsize:
        assert not keeper().running(), "a test left a task running"
        keeper().give_back()  # ends its thread
        keeper.cache_clear()
    outages.forget()
    wakeups.set_publisher(None)
    notices.set_notifier(None)
    reading.forget()
    store.forget()
    workflows.forget()
    fan_out.forget()
    notice_settings.forget()
    migrations._checked = False


def _migrate(url: str) -> None:
    """Make the tables."""
    bind(url)
    migrations.run()
    _unbind()


def _fill(url: str) -> None:
    """Migrate, publish, seed, as `scripts.bootstrap --demo` does."""
    from scripts import defs, seed

    _migrate(url)
    bind(url)
    defs.publish(defs.read_all(demo=True), by="tests")
    seed.people()
    _unbind()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_engine(request: pytest.FixtureRequest) -> str:
    """`sqlite`, then `postgresql`: every test that asks for it, or for `desk`, runs on both."""
    engine: str = request.param
    return engine


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "nestor.db"
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def pristine_database(postgres_server: PostgresServer) -> Iterator[PristineDatabase]:
    """A filled PostgreSQL database, restored after each test that uses it."""
    from tests.pristine import PristineDatabase

    url = postgres_server.create_database()
    _fill(url)
    database = PristineDatabase(url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def migrated_sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with tables and no rows, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "nestor.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_pristine_database(postgres_server: PostgresServer) -> Iterator[PristineDatabase]:
    """A PostgreSQL database with tables and no rows, restored after each test that uses it."""
    from tests.pristine import PristineDatabase

    url = postgres_server.create_database()
    _migrate(url)
    database = PristineDatabase(url)
    yield database
    database.close()


@pytest.fixture
def empty_database_url(database_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the engine, not yet migrated; gone after the test."""
    if database_engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        _unbind()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    yield url
    _unbind()
    server.drop_database(url)


@pytest.fixture
def database_url(database_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A filled database of the engine (schema, definitions, people); nothing of it stays for the next test."""
    if database_engine == "sqlite":
        path = tmp_path / "nestor.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    database: PristineDatabase = request.getfixturevalue("pristine_database")
    yield database.url
    database.restore()


@pytest.fixture
def migrated_database_url(database_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the engine with tables and no rows; the next test finds it so again."""
    if database_engine == "sqlite":
        path = tmp_path / "migrated.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite_template"), path)
        yield f"sqlite:///{path}"
        _unbind()
        return
    database: PristineDatabase = request.getfixturevalue("migrated_pristine_database")
    yield database.url
    _unbind()
    database.restore()


@pytest.fixture
def desk_environment(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """This process set up for `database_url`: environment, settings, database, clean caches, the clock at rest."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name}", value)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BROKER_URL", "embedded://")
    monkeypatch.setenv("BLOB_URL", f"file:{tmp_path / 'blobs'}")
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("MONITOR_OPEN", "true")
    monkeypatch.delenv("CRASH_AT", raising=False)
    settings.current.cache_clear()
    before = clock.shift()
    clock.set_shift(timedelta(0))
    bind(database_url)
    yield settings.current()
    _unbind()
    clock.set_shift(before)
    settings.current.cache_clear()


@pytest.fixture
def desk(desk_environment: Settings, database_engine: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk in this thread (tests/desk.py), with a fake provider behind every channel."""
    from tests.channel_parts import replace_part
    from tests.desk import Desk, FakeProvider, ScriptedParser

    made = Desk(database_engine, desk_environment)
    replace_part(monkeypatch, "sender", lambda channel: FakeProvider(made, channel))
    replace_part(monkeypatch, "parser", lambda channel: ScriptedParser(made, channel))
    wakeups.set_publisher(made.wakeups.append)
    return made
