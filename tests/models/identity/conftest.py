"""The identity area on both engines, with people to act."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models import migrations
from models.events import queries as events
from models.events.commands import SYSTEM
from models.identity import commands
from models.identity.queries import User
from models.identity.tokens import TokenPair
from models.kernel import clock, database
from models.kernel.settings import Settings
from tests.services.postgres import PostgresServer

PASSWORD = "a parrot named Kea"
SECRET_KEY = "a key of forty-two characters for the test"


class MovableClock:
    """The desk's clock, moved by hand."""

    def advance(self, **by: float) -> None:
        clock.set_shift(clock.shift() + timedelta(**by))


@dataclass
class People:
    """Users to act, and what tests look at."""

    settings: Settings

    def user(self, email: str = "ada@example.test", role: str = "agent", password: str = PASSWORD) -> User:
        return commands.create_user(email, email.partition("@")[0].title(), password, role, actor=SYSTEM)

    def sign_in(
        self, email: str = "ada@example.test", password: str = PASSWORD, client: str = "192.0.2.1"
    ) -> TokenPair:
        return commands.sign_in(email, password, client=client, settings=self.settings)

    def refresh(self, token: str) -> TokenPair:
        return commands.refresh(token, settings=self.settings)

    def history(self, aggregate: str, aggregate_id: UUID) -> list[dict[str, Any]]:
        with database.connection():
            return events.of_aggregate(aggregate, aggregate_id)

    def event_types(self, user: User) -> list[str]:
        return [event["event_type"] for event in self.history("user", user.id)]


@pytest.fixture
def moving_clock() -> Iterator[MovableClock]:
    before = clock.shift()
    yield MovableClock()
    clock.set_shift(before)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def desk_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An empty, migrated database of either engine, bound to this process."""
    server: PostgresServer | None = None
    url = f"sqlite:///{tmp_path / 'nestor.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        assert server is not None
        url = server.create_database()
    settings = Settings(database_url=url, secret_key=SECRET_KEY)
    database.configure(settings)
    migrations.run()
    yield settings
    if server is None:
        database.proxy.obj.close()
    else:
        database.proxy.obj.close_all()
        server.drop_database(url)


@pytest.fixture
def people(desk_database: Settings, moving_clock: MovableClock) -> People:
    return People(desk_database)
