"""/v1/tickets/{ticket}/promises: the SLA clocks of a ticket with their due instants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, Call, Operations
from models.identity.rules import Permission
from models.sla.clocks import Clock, status
from models.ticket_workflow import why

operations = Operations()


class Promise(msgspec.Struct):
    """An SLA clock. `due_at` is null while the clock is paused and after it has stopped."""

    target: str
    policy: str
    status: str
    target_s: int
    due_at: datetime | None
    warn_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None


class Promises(msgspec.Struct):
    """The SLA clocks of a ticket. `next_due_at` is the earliest due instant of the clocks that run."""

    items: list[Promise]
    next_due_at: datetime | None


def shown(clocks: Sequence[Clock]) -> list[Promise]:
    """Return the clocks as the API shows them."""
    return [
        Promise(
            clock.target,
            clock.policy,
            status(clock),
            clock.target_s,
            clock.due_at,
            clock.warn_at,
            clock.breached_at,
            clock.met_at,
        )
        for clock in clocks
    ]


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/promises",
    summary="List a ticket's promises",
    needs=Permission.tickets_read,
    answers={200: Promises},
    problems=(404,),
)
def list_promises(call: Call) -> Answer:
    """Lists the promises of the life cycle's SLA policies: first response, next response and resolution, each with the
    instant at which it is due. A ticket without policies has none.
    """
    ticket = ticket_of(call)
    return Answer(Promises(shown(why.promises(ticket.id)), ticket.next_due_at))
