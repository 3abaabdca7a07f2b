"""The identity area on both engines, with people to act."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from models.events import queries as events
from models.events.commands import SYSTEM, Actor
from models.identity import api_keys, commands, queries
from models.identity.queries import ApiKey, User
from models.identity.sign_in.tokens import TokenPair
from models.kernel import clock
from models.kernel.settings import Settings
from models.kernel.storage import database

PASSWORD = "a parrot named Kea"
SECRET_KEY = "a key of forty-two characters for the test"
ROOT = Actor("user", "root", "Root")


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

    def admin(self) -> User:
        """The admin who owns the keys."""
        with database.connection():
            found = queries.find_by_email("root@example.test")
        return found or self.user("root@example.test", "admin")

    def key(self, name: str, role: str | None, expires_at: datetime | None = None, **more: Any) -> tuple[ApiKey, str]:
        owner_id = more.pop("owner_id", None) or self.admin().id
        return api_keys.create(name, role, expires_at, owner_id=owner_id, actor=ROOT, **more)

    def sign_in(
        self, email: str = "ada@example.test", password: str = PASSWORD, client: str = "192.0.2.1"
    ) -> TokenPair:
        return commands.sign_in(email, password, client=client, settings=self.settings)

    def refresh(self, token: str) -> TokenPair:
        return commands.refresh(token, settings=self.settings)

    def history(self, aggregate: str, aggregate_id: UUID) -> list[dict[str, Any]]:
        with database.connection():
            return [dict(event) for event in events.of_aggregate(aggregate, aggregate_id)]

    def event_types(self, user: User) -> list[str]:
        return [event["event_type"] for event in self.history("user", user.id)]


@pytest.fixture
def moving_clock() -> Iterator[MovableClock]:
    before = clock.shift()
    yield MovableClock()
    clock.set_shift(before)


@pytest.fixture
def desk_database(migrated_database_url: str) -> Settings:
    """A database without people of either engine, bound to this process."""
    settings = Settings(database_url=migrated_database_url, secret_key=SECRET_KEY)
    database.configure(settings)
    return settings


@pytest.fixture
def people(desk_database: Settings, moving_clock: MovableClock) -> People:
    return People(desk_database)
