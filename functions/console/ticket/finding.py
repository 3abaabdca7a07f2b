"""The ticket of an address `/t/{ticket}`, and the form's part in an answer."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.console.frame import cookies
from functions.console.frame.pages import see
from functions.http.operations import Answer, AnyCall
from functions.views import pages
from models.conversations import queries as conversations
from models.conversations.row_types import MessageRow
from models.kernel import settings
from models.kernel.errors import NotFound
from models.tickets import merged
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.sight import Sight

# The list beside a ticket, as the query of its address.
Place = Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^(\?[^\x00-\x20\x7f]*)?(?![\s\S])")]


def ticket_of(call: AnyCall) -> Ticket:
    """Return the ticket of the path. Raises NotFound, also for a ticket that the caller may not see."""
    return sight.find(call.params["ticket"], Sight.of(call.caller))


def living_ticket_of(call: AnyCall) -> Ticket:
    """Return the ticket of the path, or the one that it was merged into. Raises NotFound or TicketMerged."""
    ticket = ticket_of(call)
    target = merged.target_of(ticket)
    if not sight.sees(Sight.of(call.caller), target):
        raise merged.refusal(ticket)
    return target


def message_of(call: AnyCall, ticket: Ticket) -> MessageRow:
    """Return the message of the path. Raises NotFound unless it belongs to the ticket."""
    row = conversations.get(pages.id_of(call.params["message"], "message"))
    if row["ticket_id"] != ticket.id:
        raise NotFound("There is no such message in this ticket.")
    return row


def address(ticket: Ticket, place: str = "") -> str:
    """Return the address of a ticket's page. `place`: the list beside it, `?in=...`."""
    return f"/t/{ticket.number}{place}"


def back(ticket: Ticket, place: str, text: str, *, undo: str | None = None) -> Answer:
    """Answer a form with the ticket's page and a toast. `undo`: the address to which a POST takes the act back."""
    toast = cookies.Toast(text, undo=undo)
    return see(address(ticket, place), cookies.toast(toast, settings.current()))
