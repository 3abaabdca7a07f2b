"""Counts what a migration would do to the timers and promises of the live tickets. It writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from models.events.commands import SYSTEM
from models.kernel.storage import database
from models.publishing import workflows
from models.sla.clocks import Clock
from models.ticket_workflow import migration
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.acts import ClockChanged, TimerStarted, TimerStopped
from models.workflow.definition import Workflow

batch_max = 200  # tickets of one read: 200 rows of some 2 kB


@dataclass(slots=True)
class Preview:
    """Counts by name. `tickets`: the tickets that would move, by state; `promises`: by policy, target and change."""

    tickets: Mapping[str, int]
    timers_due: Counter[str] = field(default_factory=Counter)
    timers_started: Counter[str] = field(default_factory=Counter)
    timers_moved: Counter[str] = field(default_factory=Counter)
    timers_dropped: Counter[str] = field(default_factory=Counter)
    timers_silent: Counter[str] = field(default_factory=Counter)
    promises: Counter[str] = field(default_factory=Counter)


def preview(workflow: str, to_workflow: str, to_version: int, state_map: Mapping[str, str]) -> Preview:
    """Return what the migration would do; joins the caller's connection. Raises Invalid as `migration.check` does."""
    found = Preview(migration.check(workflow, to_workflow, to_version, state_map))
    target = workflows.of_version(to_workflow, to_version).definition
    cursor = UUID(int=0)
    while rows := _tickets(workflow, after=cursor):
        for ticket in rows:
            if (ticket.workflow, ticket.workflow_version) != (to_workflow, to_version):
                _count(found, ticket, target, state_map.get(ticket.state, ticket.state))
        cursor = rows[-1].id
    return found


def _tickets(workflow: str, *, after: UUID) -> list[Ticket]:
    rows = database.run(
        f"SELECT {Ticket.selected()} FROM tickets WHERE workflow = :workflow AND category <> 'closed' AND id > :after"
        " ORDER BY id LIMIT :most",
        workflow=workflow,
        after=after,
        most=batch_max,
    )
    return [Ticket.from_row(row) for row in rows]


def _count(found: Preview, ticket: Ticket, target: Workflow, state: str) -> None:
    change = TicketChange(ticket, actor=SYSTEM, new=False)
    moved = migration.outcome(change, target, state)
    for act in moved.step.acts:
        if isinstance(act, TimerStopped):
            found.timers_dropped[act.timer] += 1
        elif isinstance(act, TimerStarted):
            _started(found, act, moved, now=change.at)
    changed = {act.target: act.clock for act in moved.step.acts if isinstance(act, ClockChanged)}
    for target_name, clock in changed.items():
        words = _change_of(moved.clocks.get(target_name), clock, now=change.at)
        found.promises[f"{clock.policy}/{target_name} {words}"] += 1
    for name, remembered in moved.remembered.items():
        timer = target.timers.get(name)
        if remembered is None and timer is not None and state in timer.in_:
            found.timers_silent[name] += 1


def _change_of(before: Clock | None, after: Clock, *, now: datetime) -> str:
    """Say in words what happens to a promise."""
    if before is None or before.state in ("met", "cancelled"):
        return "starts"
    if after.state in ("cancelled", "met", "paused"):
        return {"cancelled": "ends", "met": "is met", "paused": "pauses"}[after.state]
    if before.state == "paused":
        return "resumes"
    if before.due_at is None or after.due_at is None or after.due_at == before.due_at:
        return "keeps its due time"
    if after.due_at <= now and after.breached_at is None:
        return "is breached at once"
    return "is due earlier" if after.due_at < before.due_at else "is due later"


def _started(found: Preview, act: TimerStarted, moved: migration.Outcome, *, now: datetime) -> None:
    if act.due_at <= now:
        found.timers_due[act.timer] += 1
    elif act.timer in moved.timers.running:
        found.timers_moved[act.timer] += 1
    else:
        found.timers_started[act.timer] += 1
