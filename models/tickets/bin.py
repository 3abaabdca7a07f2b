"""The refusals of acts on tickets in the bin."""

from __future__ import annotations

from models.kernel.errors import Conflict
from models.tickets.tables import Ticket


class TicketInBin(Conflict):
    """The ticket is in the bin; restore it first."""

    code = "ticket_in_bin"


class TicketPurged(Conflict):
    """The content of the ticket was purged; it cannot be restored."""

    code = "ticket_purged"


def refusal(ticket: Ticket) -> Conflict:
    """Return the error for an act of a person or program on a ticket in the bin."""
    return TicketPurged() if ticket.binned_as == "purged" else TicketInBin()
