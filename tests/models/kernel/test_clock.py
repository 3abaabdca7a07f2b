"""The desk's clock: the database's on PostgreSQL, counted on by a clock that nobody sets; a wrong machine's clock is
noticed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from models.kernel import clock, ids, limits
from models.kernel.storage import database, skew
from queues import sweep
from tests.desk import Desk
from tests.machine_clock import machine_clock
from tests.other_machine import another_machine

SQLITE = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
POSTGRES = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)


@pytest.fixture
def unbound() -> Iterator[None]:
    """No database yet; what a test says of one is forgotten."""
    clock.forget_database()
    skew.forget()
    yield
    clock.forget_database()
    skew.forget()


def _read(offset_s: float, *, round_trip_s: float, return_s: float) -> None:
    """A reading of a database whose clock is `offset_s` ahead of the steady one; the answer travels for `return_s`."""
    received_s = clock.steady_s()
    clock.follow(received_s - return_s + offset_s, sent_s=received_s - round_trip_s, received_s=received_s)


def _offset_s() -> float:
    return clock.unshifted().timestamp() - clock.steady_s()


def test_the_clock_is_never_ahead_of_the_databases_and_gets_nearer_with_better_readings(
    unbound: None,
) -> None:
    truth_s = 1_000_000_000.0
    seen = []
    for round_trip_s, return_s in ((2.0, 1.9), (0.5, 0.1), (3.0, 2.9), (0.01, 0.005)):
        _read(truth_s, round_trip_s=round_trip_s, return_s=return_s)
        seen.append(truth_s - _offset_s())

    assert seen == pytest.approx([1.9, 0.1, 0.1, 0.005], abs=0.001)


@pytest.mark.parametrize("step_s", [-7200.0, -0.5, 0.5, 7200.0])
def test_the_clock_follows_a_database_whose_clock_was_set(unbound: None, step_s: float) -> None:
    truth_s = 1_000_000_000.0
    _read(truth_s, round_trip_s=0.01, return_s=0.005)

    _read(truth_s + step_s, round_trip_s=0.01, return_s=0.005)

    assert truth_s + step_s - _offset_s() == pytest.approx(0.005, abs=0.001)


def test_setting_the_machines_clock_moves_nothing_after_a_reading(unbound: None) -> None:
    _read(datetime.now(UTC).timestamp() - clock.steady_s(), round_trip_s=0.01, return_s=0.005)
    before = clock.now()

    with machine_clock(ahead_s=-7200):
        after = clock.now()

    assert timedelta(0) <= after - before < timedelta(minutes=1)


@POSTGRES
def test_a_connection_reads_the_clock_when_it_is_new_and_after_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[float] = []
    real = clock.follow

    def follow(database_s: float, *, sent_s: float, received_s: float) -> None:
        readings.append(database_s)
        real(database_s, sent_s=sent_s, received_s=received_s)

    monkeypatch.setattr(clock, "follow", follow)
    database.proxy.obj.close_all()

    desk.rows("SELECT 1 AS x")
    at_first = len(readings)
    desk.rows("SELECT 1 AS x")
    at_once = len(readings)
    now_s = clock.steady_s()
    monkeypatch.setattr(clock, "steady_s", lambda: now_s + limits.clock_read_every_s + 1)
    desk.rows("SELECT 1 AS x")

    assert 1 <= at_first <= limits.clock_readings_max
    assert at_once == at_first
    assert len(readings) > at_first


@POSTGRES
@pytest.mark.parametrize(("ahead_s", "side"), [(600.0, "ahead of"), (-7200.0, "behind")])
def test_a_machine_whose_clock_differs_is_logged_once_and_found(
    desk: Desk, caplog: pytest.LogCaptureFixture, ahead_s: float, side: str
) -> None:
    caplog.set_level(logging.INFO)
    with another_machine(desk, ahead_s=ahead_s):
        for _ in range(3):
            desk.rows("SELECT 1 AS x")
            database.proxy.obj.close_all()
        found = skew.finding()
    desk.rows("SELECT 1 AS x")

    assert [record.message for record in caplog.records].count("clock_differs") == 1
    assert found == f"this machine's clock is {abs(ahead_s):.0f} s {side} the database's"
    assert skew.finding() is None


@SQLITE
def test_a_machine_whose_clock_is_set_back_is_noticed_by_the_sweep(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    sweep.quietly()
    before = skew.finding()
    with machine_clock(ahead_s=-7200):
        sweep.quietly()
        sweep.quietly()

    assert before is None
    assert [record.message for record in caplog.records].count("clock_set_back") == 1
    assert skew.finding() == "this machine's clock was set back by 7200 s"


@SQLITE
def test_a_machine_that_slept_is_no_finding(desk: Desk) -> None:
    sweep.quietly()
    with machine_clock(ahead_s=7200):
        sweep.quietly()

        assert skew.finding() is None


def test_ids_go_up_also_when_the_clock_stands_still_or_goes_back_a_little(
    unbound: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime.now(UTC)
    made = []
    for step_ms in (0, 0, 0, -300, 0, 1, 2):
        at += timedelta(milliseconds=step_ms)
        monkeypatch.setattr(clock, "unshifted", lambda at=at: at)
        made += [ids.new_id() for _ in range(1_000)]

    assert made == sorted(set(made))
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}


def test_ids_do_not_stay_in_the_future_of_a_clock_that_was_wrong(
    unbound: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(clock, "unshifted", lambda: now + timedelta(minutes=10))
    ids.new_id()
    monkeypatch.setattr(clock, "unshifted", lambda: now)

    made = ids.new_id()

    assert made.int >> 80 == int(now.timestamp() * 1000)
