"""The visible tickets of a caller: every operation about a ticket finds it here (models/visibility)."""

from __future__ import annotations

from functions.http.operations import AnyCall
from models.tickets import merged
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.sight import Sight


def sight_of(call: AnyCall) -> Sight:
    """The sight of the request's caller."""
    return Sight.of(call.caller)


def ticket_of(call: AnyCall) -> Ticket:
    """The ticket of the path. Raises NotFound, also for a ticket that the caller may not see."""
    return sight.find(call.params["ticket"], sight_of(call))


def living_ticket_of(call: AnyCall) -> Ticket:
    """The ticket of the path, or the one that it was merged into. Raises NotFound as `ticket_of`.

    Raises TicketMerged if the caller may not see the other ticket.
    """
    ticket = ticket_of(call)
    target = merged.target_of(ticket)
    if not sight.sees(sight_of(call), target):
        raise merged.refusal(ticket)
    return target
