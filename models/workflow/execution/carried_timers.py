"""Carries the timers of a ticket to another version of its life cycle, each by its name.

A timer that went off during this visit of its states does not go off again: its message was sent. A timer that runs
keeps its due instant and its count, unless the new version gives it another time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.expressions.durations import parse_duration
from models.sla import working_time
from models.sla.working_time import Calendar
from models.workflow.acts import TimerStopped
from models.workflow.definition import Timer, Workflow
from models.workflow.execution.run import Run

RULE = "migration"


@dataclass(frozen=True, slots=True)
class RunningTimer:
    """A timer that is set. `due_at` is None while its firing waits as a task; `count`: the number of this firing."""

    due_at: datetime | None
    count: int = 1


# Timers that do not run, by name: one that a migration dropped, or None for one that went off or was stopped.
Remembered = Mapping[str, RunningTimer | None]


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of a ticket before the move.

    `remembered`: timers that earlier migrations during this visit of the ticket's state left behind. A migration to a
    version that has them again, such as one that reverses a migration, continues them.
    """

    running: Mapping[str, RunningTimer] = field(default_factory=dict)
    remembered: Remembered = field(default_factory=dict)


def carry(run: Run, old: Workflow, old_state: str, timers: Timers) -> Remembered:
    """Stop, move, start or leave each timer, and return what the next migration has to remember.

    `run` has the new version, and the ticket in its new state.
    """
    kept = dict(timers.remembered)
    for name, running in timers.running.items():
        timer = run.workflow.timers.get(name)
        if timer is not None and _allowed(run, timer, running):
            _carry_running(run, name, timer, old, running)
            kept.pop(name, None)
        else:
            run.act(TimerStopped(RULE, timer=name))
            kept[name] = RunningTimer(running.due_at or run.context.now, running.count)
    for name, known in old.timers.items():
        if name not in timers.running and _starts_in(known, old_state):
            kept.setdefault(name, None)
    for name, timer in run.workflow.timers.items():
        if name in timers.running:
            continue
        if name in kept:
            remembered = kept[name]
            if remembered is not None and remembered.due_at is not None and _allowed(run, timer, remembered):
                run.set_timer(name, remembered.due_at, rule=RULE, count=remembered.count)
                del kept[name]
        elif _starts_in(timer, run.instance.state):
            run.start_timer(name, timer, rule=RULE, since=run.instance.state_since)
    return kept


def _starts_in(timer: Timer, state: str) -> bool:
    """Return True if the timer starts by itself in a state."""
    return state in timer.in_ and not timer.manual


def _runs_in(timer: Timer, state: str) -> bool:
    """Return True if a timer that was started goes on in a state."""
    return not timer.in_ or timer.keep or state in timer.in_


def _allowed(run: Run, timer: Timer, running: RunningTimer) -> bool:
    """Return True if the new version has the firing that the timer waits for."""
    firings = 1 + (timer.repeat.times if timer.repeat is not None else 0)
    return running.count <= firings and _runs_in(timer, run.instance.state)


def _carry_running(run: Run, name: str, timer: Timer, old: Workflow, running: RunningTimer) -> None:
    """Move a running timer if the new version gives it another time."""
    known = old.timers.get(name)
    if running.due_at is None or known is None:
        return
    if timer.at is not None or known.at is not None:
        if timer.at != known.at:
            run.start_timer(name, timer, rule=RULE, count=running.count, since=run.instance.state_since)
        return
    before = (_distance_s(known, running.count), _calendar(old, known))
    after = (_distance_s(timer, running.count), _calendar(run.workflow, timer))
    if before == after:
        return
    since = _started_at(running.due_at, *before, since=run.instance.state_since if running.count == 1 else None)
    run.start_timer(name, timer, rule=RULE, count=running.count, since=since)


def _distance_s(timer: Timer, count: int) -> int:
    """Seconds from the start of the timer, or from its last firing, to the firing with this number."""
    if count > 1 and timer.repeat is not None:
        return parse_duration(timer.repeat.every)
    return parse_duration(timer.after) if timer.after is not None else timer.after_s


def _calendar(workflow: Workflow, timer: Timer) -> Calendar | None:
    return workflow.calendars.get(timer.calendar) if timer.calendar is not None else None


def _started_at(due_at: datetime, seconds: int, calendar: Calendar | None, *, since: datetime | None) -> datetime:
    """Return the instant from which the timer counts: `since` if that gives the due instant, else counted back."""
    if calendar is None:
        return due_at - timedelta(seconds=seconds)
    if since is not None and working_time.add(calendar, since, seconds) == due_at:
        return since
    return working_time.subtract(calendar, due_at, seconds)
