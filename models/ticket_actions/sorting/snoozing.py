"""Snooze: a ticket leaves the default lists until an instant, or until the requester writes.

A message of the requester always ends a snooze. Promises run on meanwhile, so a snooze hides no missed promise. The
timer of the instant has a name of its own: state changes and other versions of the life cycle leave it alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from models.definitions import desk
from models.events.commands import SYSTEM, Actor
from models.events.ticket_payloads import TicketSnoozed, TicketWoken
from models.kernel.errors import FieldProblem, Invalid
from models.sla import working_time
from models.sla.working_time import Calendar
from models.tasks import timers
from models.tasks.payloads import WakeTicket
from models.ticket_actions.sorting import limits
from models.ticket_workflow import steps
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.definition import Workflow
from models.workflow.instance import Instance

# ISO 8601, without months and years, whose lengths vary.
_END: Final = r"(?![\s\S])"
_CLOCK_TIME: Final = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,3})W)?(?:([0-9]{1,4})D)?(?:T(?=[0-9])(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?)?" + _END
)
_WORKING_TIME: Final = re.compile(r"([0-9]{1,5}) working (hour|minute)s?" + _END)
DISTANCE_PATTERN: Final = f"^(?:{_CLOCK_TIME.pattern}|{_WORKING_TIME.pattern})"


@dataclass(frozen=True, slots=True)
class Snooze:
    """A wish to snooze a ticket: until an instant, for a distance, or, with neither, until the requester writes."""

    until: datetime | None = None
    distance: str | None = None
    note: str | None = None


def snooze(ticket_id: UUID, wish: Snooze, *, actor: Actor) -> Ticket:
    """Snooze a ticket. A second snooze replaces the first. Joins the caller's transaction.

    Raises Invalid for an instant that is past or too far, and for a distance that no calendar can count.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    ticket = change.ticket
    until = _until(change, wish)
    if ticket.snoozed_at is not None and (ticket.snoozed_until, ticket.snooze_note) == (until, wish.note):
        return ticket
    put(change, until, wish.note)
    return change.save()


def put(change: TicketChange, until: datetime | None, note: str | None) -> None:
    """Set the columns and the timer of a snooze, and record it. The caller saves the change."""
    ticket = change.ticket
    timers.stop(_timer(ticket.id), pending=_timer(ticket.id))
    ticket.snoozed_at, ticket.snoozed_until, ticket.snooze_note = change.at, until, note
    ticket.woken_at = None
    if until is not None:
        payload = WakeTicket(ticket_id=ticket.id, until=until)
        timers.put(_timer(ticket.id), payload, due_at=until, key=_timer(ticket.id))
    change.record(TicketSnoozed(until=until, note=note))


def wake(ticket_id: UUID, *, actor: Actor) -> Ticket:
    """End the snooze of a ticket at a person's request. A ticket that is awake stays as it is."""
    change = TicketChange.of(ticket_id, actor=actor)
    return change.save() if end(change, by="person") else change.ticket


def wake_at_instant(payload: WakeTicket, *, causation_id: str) -> None:
    """End the snooze whose instant has come. A snooze that was ended or changed meanwhile stays as it is."""
    change = TicketChange.of(payload.ticket_id, actor=SYSTEM, causation_id=causation_id)
    if change.ticket.snoozed_until == payload.until:
        end(change, by="instant")
        change.save()


def end(change: TicketChange, *, by: Literal["instant", "message", "person"]) -> bool:
    """End the ticket's snooze in the caller's change; return False if the ticket is awake."""
    ticket = change.ticket
    if ticket.snoozed_at is None:
        return False
    if ticket.snoozed_until is not None:
        timers.stop(_timer(ticket.id), pending=_timer(ticket.id))
    ticket.snoozed_at = ticket.snoozed_until = ticket.snooze_note = None
    ticket.woken_at = None if by == "person" else change.at
    change.record(TicketWoken(by=by))
    return True


def _timer(ticket_id: UUID) -> str:
    """The name of the timer, and the key of its task."""
    return f"snooze:{ticket_key(ticket_id)}"


def _until(change: TicketChange, wish: Snooze) -> datetime | None:
    if wish.until is None and wish.distance is None:
        return None
    path = "/until" if wish.until is not None else "/for"
    until = wish.until if wish.until is not None else _after(change, wish.distance or "")
    if until <= change.at:
        raise Invalid([FieldProblem(path, "expected an instant in the future")])
    if until > change.at + timedelta(days=limits.snooze_days_max):
        raise Invalid([FieldProblem(path, f"expected at most {limits.snooze_days_max} days from now")])
    return until


def _after(change: TicketChange, distance: str) -> datetime:
    """Return the instant at a distance from now: `PT4H` by the clock, `2 working hours` by a calendar.

    The calendar is that of the ticket's life cycle, else the desk's.
    """
    found = _WORKING_TIME.match(distance)
    if found is not None:
        seconds = int(found[1]) * (3600 if found[2] == "hour" else 60)
        workflow = steps.workflow_of(change)
        calendar = _calendar(workflow, steps.instance_of(change, workflow)) or desk.current().calendar
        if calendar is None:
            told = f"neither the life cycle {workflow.workflow} nor the desk has a calendar of working time"
            raise Invalid([FieldProblem("/for", told)])
        try:
            return working_time.add(calendar, change.at, seconds)
        except working_time.BeyondCalendar:
            raise Invalid([FieldProblem("/for", "the calendar has too little working time for this")]) from None
    found = _CLOCK_TIME.match(distance)
    if found is None or not any(found.groups()):
        raise Invalid(
            [FieldProblem("/for", f"expected a duration such as PT4H, P2D or 2 working hours, found {distance[:40]!r}")]
        )
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    return change.at + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _calendar(workflow: Workflow, ticket: Instance) -> Calendar | None:
    """Return the calendar of a promise that the ticket has; else the first of a policy; else the first at all."""
    by_policy = {policy.name: policy.calendar for policy in workflow.sla if policy.calendar is not None}
    own = (by_policy[clock.policy] for clock in ticket.clocks.values() if clock.policy in by_policy)
    name = next(own, None) or next(iter([*by_policy.values(), *workflow.calendars]), None)
    return None if name is None else workflow.calendars[name]
