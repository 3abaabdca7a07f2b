"""Clocks of promises: what runs, stands still, warns once, breaks once and is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.expressions import durations
from models.sla import clocks
from models.sla.clocks import Clock
from models.sla.working_time import Calendar

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OFFICE = Calendar("UTC", {"mon": ["09:00-17:00"], "tue": ["09:00-17:00"]})


def started(calendar: Calendar | None = None, target_s: int = 3600, warn_s: int = 600) -> Clock:
    return clocks.start(
        "resolution",
        policy="p",
        target_s=target_s,
        warn_before_s=warn_s,
        calendar_name=None,
        calendar=calendar,
        now=NOW,
    )


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


def test_a_clock_warns_then_breaches_each_once() -> None:
    clock = started()
    assert (clock.warn_at, clock.due_at) == (later(minutes=50), later(hours=1))
    assert clocks.due(clock, later(minutes=49)) is None

    assert clocks.due(clock, later(minutes=50)) == "warn"
    clock = clocks.warned(clock, later(minutes=50))
    assert clocks.due(clock, later(minutes=55)) is None
    assert clocks.due(clock, later(hours=1)) == "breach"
    clock = clocks.breached(clock, later(hours=1))
    assert clocks.due(clock, later(hours=9)) is None
    assert clocks.status(clock) == "breached"


def test_a_pause_moves_the_due_instant_by_its_length() -> None:
    clock = clocks.pause(started(), later(minutes=20), None)
    assert (clock.state, clock.elapsed_s, clock.due_at) == ("paused", 1200.0, None)

    clock = clocks.resume(clock, later(minutes=50), None)
    assert clock.due_at == later(minutes=90)


def test_working_time_is_counted_by_the_calendar() -> None:
    clock = started(OFFICE, target_s=10 * 3600)

    assert clock.due_at == NOW + timedelta(days=1, hours=2)
    assert clocks.elapsed_s(clock, later(hours=20), OFFICE) == 8 * 3600


def test_kept_late_is_kept_and_broken() -> None:
    assert clocks.status(clocks.meet(started(), later(minutes=59), None)) == "met"
    late = clocks.meet(started(), later(minutes=61), None)
    assert (late.state, late.breached_at, clocks.status(late)) == ("met", later(minutes=61), "breached")


def test_another_priority_keeps_the_time_used() -> None:
    moved = clocks.retarget(
        started(),
        target_s=7200,
        warn_before_s=600,
        policy="q",
        calendar_name=None,
        old_calendar=None,
        calendar=None,
        now=later(minutes=30),
    )

    assert (moved.policy, moved.elapsed_s, moved.due_at) == ("q", 1800.0, later(hours=2))


def test_a_shorter_promise_can_be_broken_at_once_and_a_longer_one_takes_it_back() -> None:
    how: dict[str, Any] = {
        "warn_before_s": 0,
        "policy": "p",
        "calendar_name": None,
        "old_calendar": None,
        "calendar": None,
    }
    short = clocks.retarget(started(), target_s=60, now=later(minutes=30), **how)
    assert clocks.due(short, later(minutes=30)) == "breach"

    broken = clocks.breached(short, later(minutes=30))
    assert clocks.retarget(broken, target_s=7200, now=later(minutes=31), **how).breached_at is None


def test_a_promise_that_can_be_kept_gets_its_whole_new_target_when_that_has_passed_already() -> None:
    how: dict[str, Any] = {
        "policy": "p",
        "calendar_name": None,
        "old_calendar": None,
        "calendar": None,
        "can_be_kept": True,
    }

    raised = clocks.retarget(started(), target_s=1200, warn_before_s=300, now=later(minutes=30), **how)
    assert (raised.due_at, raised.warn_at) == (later(minutes=50), later(minutes=45))
    assert clocks.due(raised, later(minutes=30)) is None
    assert clocks.meet(raised, later(minutes=49), None).breached_at is None
    assert clocks.meet(raised, later(minutes=51), None).breached_at is not None

    lowered = clocks.retarget(raised, target_s=7200, warn_before_s=300, now=later(minutes=40), **how)
    assert lowered.due_at == later(hours=2)
    earlier = clocks.retarget(started(), target_s=2400, warn_before_s=300, now=later(minutes=30), **how)
    assert earlier.due_at == later(minutes=40)
    broken = clocks.breached(started(), later(minutes=61))
    assert clocks.retarget(broken, target_s=1200, warn_before_s=0, now=later(minutes=62), **how).breached_at


def test_what_was_kept_and_is_asked_again_goes_on_from_where_it_stood() -> None:
    kept = clocks.meet(started(), later(minutes=20), None)

    again = clocks.reopen(kept, later(hours=5), None)

    assert (again.state, again.due_at, again.met_at) == ("running", later(hours=5, minutes=40), None)


@pytest.mark.parametrize("state", ["paused", "met", "cancelled"])
def test_what_does_not_run_changes_nothing_when_it_is_stopped_again(state: Any) -> None:
    clock = replace(started(), state=state, running_since=None, due_at=None)

    assert clocks.pause(clock, later(hours=1), None) == clock
    if state != "paused":
        assert clocks.resume(clock, later(hours=1), None) == clock
        assert clocks.meet(clock, later(hours=1), None) == clock
        assert clocks.cancel(clock) == clock


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30_000)), max_size=12), st.sampled_from([None, OFFICE]))
def test_elapsed_is_the_working_time_while_it_ran(turns: list[tuple[bool, int]], calendar: Calendar | None) -> None:
    from models.sla import working_time

    clock, now, expected = started(calendar, target_s=10**6), NOW, 0.0
    for runs, seconds in turns:
        clock = clocks.resume(clock, now, calendar) if runs else clocks.pause(clock, now, calendar)
        end = now + timedelta(seconds=seconds)
        expected += working_time.elapsed(calendar, now, end) if runs else 0
        now = end

    assert clocks.elapsed_s(clock, now, calendar) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("3d", 259_200), ("2w", 1_209_600), (60, 60)],
)
def test_durations_are_read(text: str | int, seconds: int) -> None:
    assert durations.parse_duration(text) == seconds
    assert durations.parse_duration(durations.compact(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "h", "1.5h", "-1h", "1h 30m", "30m1h", "99999d", True, "1y"])
def test_what_is_no_duration_is_told(text: str | int) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        durations.parse_duration(text)
