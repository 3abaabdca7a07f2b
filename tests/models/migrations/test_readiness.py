"""A process is ready when it can do its work; each reason against it is told in words, and is over
without a restart.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from models.kernel import limits, settings
from models.kernel.errors import ConfigurationError, Unavailable
from models.kernel.storage import database
from models.migrations import readiness
from models.migrations.readiness import Readiness
from queues.processes import monitor
from tests.desk import Desk
from tests.services.ports import free_port
from tests.services.waiting import wait_until


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Readiness]]:
    """Starts readinesses that look often, and stops them."""
    monkeypatch.setattr(limits, "readiness_soon_s", 0.05)
    monkeypatch.setattr(limits, "readiness_again_s", 0.05)
    made: list[Readiness] = []

    def start(*look: Any) -> Readiness:
        made.append(Readiness(*look).start())
        return made[-1]

    yield start
    for one in made:
        one.stop()


def reason_of(one: Readiness) -> str:
    wait_until(lambda: "has just started" not in (one.reason() or ""), within_s=20, what="the first look")
    return one.reason() or ""


def test_a_desk_in_order_is_ready(desk: Desk) -> None:
    readiness.check()


def test_a_missing_schema_is_reported_until_it_exists(desk: Desk, started: Callable[..., Readiness]) -> None:
    rows = desk.rows("SELECT version, name, min_program, applied_at FROM schema_migrations ORDER BY version")
    desk.command(database.execute, "DELETE FROM schema_migrations")
    one = started()

    assert "the database has schema 0" in reason_of(one)
    assert "python -m scripts.migrate" in reason_of(one)

    with database.transaction():
        for row in rows:
            database.execute(
                "INSERT INTO schema_migrations (version, name, min_program, applied_at)"
                " VALUES (:version, :name, :min_program, :applied_at)",
                row,
            )
    wait_until(lambda: one.reason() is None, within_s=20, what="a ready process")


def test_a_newer_schema_is_ready_unless_it_needs_a_newer_program(desk: Desk, started: Callable[..., Readiness]) -> None:
    newer = "INSERT INTO schema_migrations (version, name, min_program, applied_at) VALUES (:version, 'newer', :oldest, NOW())"
    try:
        desk.command(database.execute, newer, version=9998, oldest=1)
        one = started()
        assert reason_of(one) == ""

        desk.command(database.execute, newer, version=9999, oldest=9999)

        wait_until(lambda: one.reason() is not None, within_s=20, what="the later look")
        assert "newer than this program can use" in reason_of(one)
    finally:
        desk.command(database.execute, "DELETE FROM schema_migrations WHERE version > 9000")


def test_a_missing_secret_key_is_told(
    desk: Desk, started: Callable[..., Readiness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY")
    settings.current.cache_clear()

    assert "SECRET_KEY is not set" in reason_of(started())


def test_a_database_that_cannot_be_reached_is_no_reason(started: Callable[..., Readiness]) -> None:
    def away() -> None:
        raise Unavailable()

    assert reason_of(started(away)) == ""


def test_a_reason_stands_while_the_database_is_away(started: Callable[..., Readiness]) -> None:
    answers: list[Exception] = [ConfigurationError("the schema is old")]

    def look() -> None:
        raise answers[0]

    one = started(look)
    assert reason_of(one) == "the schema is old"

    answers[0] = Unavailable()

    assert not one._check_once()
    assert one.reason() == "the schema is old"


def test_a_first_look_that_hangs_is_a_database_that_is_away(
    started: Callable[..., Readiness], monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(limits, "readiness_first_s", 0.3)
    one = started(lambda: bool(goes_on.wait(60)))

    wait_until(lambda: one.reason() is None, within_s=20, what="a ready process")
    goes_on.set()


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_worker_reports_why_it_is_not_ready_and_stays_alive(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY")
    settings.current.cache_clear()
    port = free_port()
    server = monitor.start("127.0.0.1", port)
    assert server is not None
    try:
        wait_until(lambda: "SECRET_KEY is not set" in ready(port)[1], within_s=20, what="the reason")
        assert ready(port)[0] == 503
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            assert answer.status == 200
    finally:
        monitor.forget_backlog()
        server.shutdown()
        server.server_close()


def ready(port: int) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status, ""
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["detail"]


def test_a_check_that_fails_unexpectedly_is_logged_and_repeated(started: Callable[..., Readiness]) -> None:
    calls = []

    def look() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise AttributeError("a connection that was closed under our feet")
        raise ConfigurationError("the second check ran")

    one = started(look)

    wait_until(lambda: one.reason() == "the second check ran", within_s=20, what="the second check")
