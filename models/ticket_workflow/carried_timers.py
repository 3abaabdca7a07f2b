"""Reads the timers of a ticket before a migration, and keeps those that the migration leaves behind."""

from __future__ import annotations

import msgspec

from models.events import queries as events
from models.kernel import type_info
from models.kernel.open_json import JsonObject
from models.tasks import timers
from models.ticket_workflow.acts.apply_acts import ticket_key
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
    found = timers.find(list(names), pending=ticket_key(ticket.id))
    return {names[name]: RunningTimer(one.due_at, one.payload.get("count", 1)) for name, one in found.items()}


def _remembered(ticket: Ticket) -> Remembered:
    """Return the timers that the last migration during this visit of the ticket's state left behind."""
    last = events.last_of("ticket", ticket.id, "ticket_migrated")
    if last is None or (ticket.state_since is not None and last["occurred_at"] < ticket.state_since):
        return {}
    return msgspec.convert(last["payload"].get("timers", {}), dict[str, RunningTimer | None])


def as_json(remembered: Remembered) -> JsonObject:
    """Return the form of the event's payload."""
    return dict(msgspec.to_builtins(remembered))
