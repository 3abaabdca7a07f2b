"""Writers and readers of the event log, for tests of its followers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from models.events import history
from models.events.commands import SYSTEM
from models.events.desk_payloads import SessionsEnded
from models.events.following import reading
from models.events.following.reading import Position
from models.events.row_types import LogEvent
from models.kernel import clock
from models.kernel.storage import database

only_postgres = pytest.mark.parametrize(
    "database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def write(user_id: UUID, *, events: int = 1) -> None:
    """Write events of a user who has none yet; joins the caller's transaction."""
    happened = [SessionsEnded(sessions_ended=n) for n in range(events)]
    history.append("user", user_id, happened, actor=SYSTEM, at=clock.now())


@contextmanager
def slow_writer(user_id: UUID, *, rolls_back: bool = False) -> Iterator[None]:
    """A transaction in another thread that has written an event of the user and ends with the block."""
    written, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with database.transaction():
            write(user_id)
            written.set()
            assert may_end.wait(20)
            if rolls_back:
                raise RuntimeError("the slow writer rolls back")

    def guarded() -> None:
        try:
            work()
        except RuntimeError:
            assert rolls_back

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        assert written.wait(20)
        yield
    finally:
        may_end.set()
        thread.join(20)
    assert not thread.is_alive()


def users_of(events: Sequence[LogEvent]) -> list[UUID]:
    return [event["aggregate_id"] for event in events]


def begin_now() -> Position:
    with database.connection():
        return reading.now()


def read_log(position: Position, limit: int = 100, **how: Any) -> reading.Read:
    with database.connection():
        return reading.read(position, limit, **how)
