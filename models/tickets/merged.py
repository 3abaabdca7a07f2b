"""Merged tickets: a ticket that was merged into another one forwards to it, over any number of merges."""

from __future__ import annotations

from uuid import UUID

from models.kernel.errors import Conflict
from models.tickets import queries
from models.tickets.tables import Ticket


class TicketMerged(Conflict):
    """The ticket was merged into another one."""

    code = "ticket_merged"


def refusal(ticket: Ticket) -> TicketMerged:
    """Return the error for an act on a merged ticket."""
    return TicketMerged(f"Ticket #{ticket.number} was merged into {ticket.merged_into}; act on that one.")


def target_of(ticket: Ticket) -> Ticket:
    """Return the ticket that a merged ticket forwards to, or the ticket itself if it is not merged.

    A ticket is merged once at most before it is restored, and never into a merged one, so the way has an end.
    """
    while ticket.merged_into is not None:
        ticket = queries.find(str(ticket.merged_into))
    return ticket


def path(ticket_id: UUID) -> list[UUID]:
    """Return the ids of a ticket and of the tickets that it forwards to, in this order. Raises NotFound."""
    ticket = queries.find(str(ticket_id))
    found = [ticket.id]
    while ticket.merged_into is not None:
        ticket = queries.find(str(ticket.merged_into))
        found.append(ticket.id)
    return found


def id_of_target(ticket_id: UUID) -> UUID:
    """Return the id of the ticket that a ticket forwards to. Raises NotFound."""
    return target_of(queries.find(str(ticket_id))).id


def lock_target(ticket_id: UUID) -> Ticket:
    """Lock a ticket, and if it is merged, the ticket that it forwards to as well. Raises NotFound.

    A merged ticket is locked before its target, as an undo of the merge does.
    """
    ticket = queries.lock(ticket_id)
    while ticket.merged_into is not None:
        ticket = queries.lock(ticket.merged_into)
    return ticket
