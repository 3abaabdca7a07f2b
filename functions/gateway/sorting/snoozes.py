"""/v1/tickets/{ticket}/snooze: hide a ticket from the default lists for a time."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from functions.gateway.sights import ticket_of
from functions.gateway.ticket.tickets import represented
from functions.http.bodies import explain_pattern
from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from functions.views.texts import Comment, Instant
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid
from models.ticket_actions.sorting import snoozing, undoing

operations = Operations()

Distance = Annotated[
    str,
    msgspec.Meta(
        min_length=3,
        max_length=40,
        pattern=explain_pattern(snoozing.DISTANCE_PATTERN, "expected a duration such as PT4H, P2D or 2 working hours"),
    ),
]


class SnoozeWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The end of a snooze: exactly one of `until` (an instant), `for` (a distance such as `PT4H`, `P2D`, or
    `2 working hours` by the calendar of the ticket's promises) and `until_answer` (until the requester writes).
    """

    until: Instant | None = None
    for_: Distance | None = msgspec.field(name="for", default=None)
    until_answer: Literal[True] | None = None
    note: Comment | None = None


def wish_of(body: SnoozeWanted) -> snoozing.Snooze:
    """The wish of a body. Raises Invalid unless it names exactly one end."""
    named = [one for one in (body.until, body.for_, body.until_answer) if one is not None]
    if len(named) != 1:
        raise Invalid([FieldProblem("/until", f"expected one of until, for and until_answer, found {len(named)}")])
    return snoozing.Snooze(until=body.until, distance=body.for_, note=body.note)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/snooze",
    summary="Snooze a ticket",
    needs=Permission.tickets_write,
    body=SnoozeWanted,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def snooze_ticket(call: Call[SnoozeWanted]) -> Answer:
    """The ticket leaves the default lists. It wakes at the instant, or earlier when the requester writes.

    Its assignee and followers then get a notice. Promises run on. A second snooze replaces the first.
    """
    ticket = ticket_of(call)
    wish, actor = wish_of(call.body), call.caller.actor
    return represented(call, undoing.undoable(lambda: snoozing.snooze(ticket.id, wish, actor=actor), actor=actor))


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/snooze",
    summary="End the snooze of a ticket",
    needs=Permission.tickets_write,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def wake_ticket(call: Call) -> Answer:
    """Idempotent: a ticket that is awake stays as it is."""
    ticket = ticket_of(call)
    actor = call.caller.actor
    return represented(call, undoing.undoable(lambda: snoozing.wake(ticket.id, actor=actor), actor=actor))
