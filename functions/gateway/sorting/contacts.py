"""/v1/tickets/{ticket}/requester and /contact: who asks, and where answers go."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.gateway.sorting import undos
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import representations as show
from functions.views.texts import Word
from models.identity.rules import Permission
from models.kernel import limits
from models.regrouping import requester_change
from models.undo import commands as undo
from models.visibility import sight

operations = Operations()


class NewRequesterOfTicket(msgspec.Struct, forbid_unknown_fields=True):
    """The requester whose ticket it becomes."""

    requester_id: UUID


class NewContact(msgspec.Struct, forbid_unknown_fields=True):
    """The address for later answers. Without `account`, the default account of the channel sends them."""

    channel: Word
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.email_address_chars_max)]
    account: Word | None = None


class ContactOfTicket(msgspec.Struct):
    """The address for answers. `grade`: how well a mail address is known; null on other channels and if proved."""

    channel: str | None
    account: str | None
    address: str | None
    grade: str | None


class TicketWithContact(msgspec.Struct):
    """A ticket, the address for its answers, sentences for the agent, and the undo (null if nothing changed)."""

    ticket: show.Ticket
    contact: ContactOfTicket
    warnings: list[str]
    undo: undos.Undo | None


def _shown(call: AnyCall, ticket_id: UUID, undo_id: UUID | None) -> Answer:
    row = sight.find(str(ticket_id), sight_of(call))
    contact = ContactOfTicket(row.contact_channel, row.contact_account, row.contact_address, row.contact_grade)
    [ticket] = show.tickets([row], role=call.caller.role)
    done = None if undo_id is None else undos.shown(undo.get(undo_id), sight_of(call))
    made = TicketWithContact(ticket, contact, requester_change.warnings(row), done)
    return Answer(made, headers=show.etag(row.version))


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/requester",
    summary="Change the requester of a ticket",
    needs=Permission.requesters_write,
    body=NewRequesterOfTicket,
    answers={200: TicketWithContact},
    problems=(404, 409, 422),
    etag="optional",
)
def give_to_requester(call: Call[NewRequesterOfTicket]) -> Answer:
    """Answers go to an address of the new requester from now on. The former one takes part no more.

    Their later answers open a new ticket, and they get no copies unless an agent names them. Can be undone for an hour.
    """
    expected = call.optional_version()
    ticket = ticket_of(call)
    undo_id = requester_change.change_requester(
        ticket.id, call.body.requester_id, actor=call.caller.actor, expected_version=expected
    )
    return _shown(call, ticket.id, undo_id)


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/contact",
    summary="Get the address for answers to a ticket",
    needs=Permission.tickets_read,
    answers={200: TicketWithContact},
    problems=(404,),
)
def read_contact(call: Call) -> Answer:
    """With warnings, as the preview of a reply has them."""
    return _shown(call, ticket_of(call).id, None)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/contact",
    summary="Change the address for answers to a ticket",
    needs=Permission.tickets_write,
    body=NewContact,
    answers={200: TicketWithContact},
    problems=(404, 409, 422),
    etag="optional",
)
def change_contact(call: Call[NewContact]) -> Answer:
    """The address is one of the requester, or of a confirmed participant. Can be undone for an hour."""
    expected = call.optional_version()
    ticket = ticket_of(call)
    undo_id = requester_change.change_contact(
        ticket.id,
        call.body.channel,
        call.body.address,
        account=call.body.account,
        actor=call.caller.actor,
        expected_version=expected,
    )
    return _shown(call, ticket.id, undo_id)
