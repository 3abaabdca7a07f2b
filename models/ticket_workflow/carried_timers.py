"""Reads the timers of a ticket before a migration, and keeps those that the migration leaves behind."""

from __future__ import annotations

from typing import Any

import msgspec

from models.events import queries as events
from models.kernel import type_info
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.tasks.tables import Task, Timer
from models.ticket_workflow.apply_acts import ticket_key
from models.tickets.tables import Ticket
from models.workflow.definition import Workflow
from models.workflow.execution.carried_timers import Remembered, RunningTimer, Timers

type_info.declare(RunningTimer)


def of_ticket(ticket: Ticket, workflow: Workflow) -> Timers:
    """Return the timers of the ticket's life cycle that run, and those that earlier migrations left behind."""
    return Timers(_running(ticket, workflow), _remembered(ticket))


def _running(ticket: Ticket, workflow: Workflow) -> dict[str, RunningTimer]:
    """Return the timers that are set, and those whose firing waits as a task."""
    names = {f"ticket:{ticket.id}:{name}": name for name in workflow.timers}
    places, values = database.in_list("name", list(names))
    rows = [
        Timer.converted(row)
        for row in database.run(f"SELECT name, due_at, payload FROM timers WHERE name IN {places}", values)
    ]
    found = {names[row["name"]]: RunningTimer(row["due_at"], _count(row)) for row in rows}
    waiting = database.run(
        "SELECT caused_by, payload FROM tasks WHERE key = :key AND state IN ('ready', 'leased')",
        key=ticket_key(ticket.id),
    )
    for row in map(Task.converted, waiting):
        name = names.get((row["caused_by"] or "").removeprefix("timer:"))
        if name is not None:
            found.setdefault(name, RunningTimer(None, _count(row)))
    return found


def _count(row: dict[str, Any]) -> int:
    return int(row["payload"].get("count", 1))


def _remembered(ticket: Ticket) -> Remembered:
    """Return the timers that the last migration during this visit of the ticket's state left behind."""
    last = events.last_of("ticket", ticket.id, "ticket_migrated")
    if last is None or (ticket.state_since is not None and last["occurred_at"] < ticket.state_since):
        return {}
    return msgspec.convert(last["payload"].get("timers", {}), dict[str, RunningTimer | None])


def as_json(timers: Remembered) -> JsonObject:
    """Return the form of the event's payload."""
    return dict(msgspec.to_builtins(timers))
