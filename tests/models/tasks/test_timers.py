"""Timers: each due time fires once, however many look; a slept-over period fires once, late."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.kernel import clock
from models.kernel.storage import database
from models.tasks import timers
from models.tasks.payloads import CollectGarbage
from tests.desk import Desk

KIND = "collect_garbage"
START = datetime(2026, 3, 1, tzinfo=UTC)


@given(every_s=st.integers(1, 100_000), late_s=st.floats(0, 10_000_000))
def test_the_next_due_time_is_the_first_of_the_rhythm_in_the_future(every_s: int, late_s: float) -> None:
    now = START + timedelta(seconds=late_s)

    due = timers.next_due(START, every_s=every_s, now=now)

    steps = (due - START) / timedelta(seconds=every_s)
    assert due > now
    assert due - timedelta(seconds=every_s) <= now
    assert abs(steps - round(steps)) < 1e-6


def test_several_tickers_at_once_fire_each_due_time_once(desk: Desk) -> None:
    with database.transaction():
        for index in range(20):
            timers.put(f"once:{index}", CollectGarbage(), due_at=clock.now())
        timers.put("repeated", CollectGarbage(), due_at=clock.now(), every_s=60)

    def tick() -> int:
        return sum(timers.fire_due(batch_max=3) for _ in range(10))

    for _ in range(3):
        desk.in_threads(*[tick] * 4)
        desk.advance(seconds=60)

    fired = Counter(task["caused_by"] for task in desk.tasks(kind=KIND))
    assert fired.pop("timer:repeated") == 3
    assert set(fired.values()) == {1}
    assert len(fired) == 20


def test_a_timer_set_again_fires_at_its_new_time_only(desk: Desk) -> None:
    desk.command(timers.put, "close", CollectGarbage(), due_at=clock.now() + timedelta(minutes=1))
    desk.command(timers.put, "close", CollectGarbage(), due_at=clock.now() + timedelta(minutes=9))

    desk.advance(minutes=2)
    early = timers.fire_due()
    desk.advance(minutes=8)

    assert (early, timers.fire_due(), timers.fire_due()) == (0, 1, 0)


def test_a_stopped_timer_never_fires(desk: Desk) -> None:
    desk.command(timers.put, "close", CollectGarbage(), due_at=clock.now())

    assert desk.command(timers.stop, "close") is True
    assert desk.command(timers.stop, "close") is False
    assert timers.fire_due() == 0


def test_a_fired_timer_that_is_rolled_back_fires_again(desk: Desk) -> None:
    desk.command(timers.put, "close", CollectGarbage(), due_at=clock.now())

    def killed() -> None:
        timers.fire_due()  # joins this transaction, which does not commit
        raise RuntimeError("killed")

    for _ in range(2):
        try:
            desk.command(killed)
        except RuntimeError:
            assert desk.tasks(kind=KIND) == []

    assert timers.fire_due() == 1


def test_ensuring_keeps_the_phase_of_a_timer_that_is_there(desk: Desk) -> None:
    timers.ensure("hourly", CollectGarbage(), every_s=3600)
    before = desk.timers()
    desk.advance(minutes=30)

    timers.ensure("hourly", CollectGarbage(), every_s=3600)

    assert desk.timers() == before


def test_ensuring_moves_a_timer_that_a_clock_that_was_ahead_had_set(desk: Desk) -> None:
    """Else the desk's own recurring work stands still until the clock gets there."""
    desk.advance(hours=2)
    timers.ensure("hourly", CollectGarbage(), every_s=3600)
    desk.advance(hours=-2)

    timers.ensure("hourly", CollectGarbage(), every_s=3600)
    desk.advance(seconds=3601)

    assert timers.fire_due() == 1
