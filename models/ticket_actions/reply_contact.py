"""The contact of a reply: a reply that would reach nobody is refused."""

from __future__ import annotations

from models.channels import accounts
from models.conversations import messages
from models.kernel.errors import Conflict, NotFound
from models.requesters import queries as requesters
from models.tickets.ticket_change import TicketChange

_NOTE = "or write a note (`kind: note`)"


class ReachesNobody(Conflict):
    """The reply would reach nobody; give the requester an address that an account serves, or write a note."""

    code = "reply_reaches_nobody"


def require(change: TicketChange) -> None:
    """Make sure that a reply to the ticket has a reader.

    A ticket without a contact gets the first address of its requester that an account serves. Raises ReachesNobody with
    the reason and the way out.
    """
    ticket = change.ticket
    if ticket.contact_channel is None or ticket.contact_address is None:
        _take_address_of_requester(change)
    try:
        account = messages.contact_account(change)
    except NotFound as error:
        raise ReachesNobody(
            f"The account {ticket.contact_channel}.{ticket.contact_account}, by which the requester wrote, is not"
            f" published any more. Publish it, {_NOTE}."
        ) from error
    if account is None:
        raise ReachesNobody(
            f"No account serves the channel {ticket.contact_channel}, so the reply cannot be sent."
            f" Publish one, {_NOTE}."
        )


def _take_address_of_requester(change: TicketChange) -> None:
    ticket = change.ticket
    if ticket.requester_id is None:
        raise ReachesNobody(
            "The ticket has no requester, so nobody would read the reply. Write a note (`kind: note`), or open a ticket"
            " with `requester_email`."
        )
    known = requesters.addresses_of(ticket.requester_id)
    served = next(((channel, address) for channel, address in known if accounts.default_for(channel)), None)
    if served is None:
        raise ReachesNobody(
            "The requester has no address that an account of the desk serves. Add one with"
            f" `POST /v1/requesters/{ticket.requester_id}/identities`, {_NOTE}."
        )
    ticket.contact_channel, ticket.contact_address = served
