"""/v1/tickets/{ticket}: the participants of a ticket, and the recipients of a planned reply."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from functions.views.texts import Email
from models.conversations import participants
from models.identity.rules import Permission
from models.kernel import limits
from models.ports import inbound
from models.tickets.tables import Ticket

operations = Operations()


class Participant(msgspec.Struct):
    """A person other than the requester who may write to the ticket.

    `confirmed_at` is null for somebody whom only an unjudged mail names. They get answers after an agent names them in
    `copies`.
    """

    channel: str
    address: str
    name: str
    role: str
    confirmed_at: datetime | None


class Participants(msgspec.Struct):
    """The participants of a ticket."""

    items: list[Participant]


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/participants",
    summary="List a ticket's participants",
    needs=Permission.tickets_read,
    answers={200: Participants},
    problems=(404,),
)
def list_participants(call: Call) -> Answer:
    """Copied recipients in the order in which they joined. The requester is part of the ticket."""
    ticket = ticket_of(call)
    return Answer(Participants([show.copied(Participant, row) for row in participants.of_ticket(ticket.id)]))


class Recipient(msgspec.Struct):
    """A reader of an answer, with the reason. `name` is empty where only the address is known."""

    address: str
    name: str
    reason: str


class Recipients(msgspec.Struct):
    """The readers of an answer: `to` (null if the requester cannot be reached), `copies`, and the people of the last
    mail who are `left_out`. `warnings` are sentences for the agent: the answer, or the last reply of an agent, does not
    go to the requester.
    """

    channel: str | None
    account: str | None
    to: Recipient | None
    to_grade: str | None
    copies: list[Recipient]
    left_out: list[Recipient]
    warnings: list[str]


class WantedCopies(msgspec.Struct, forbid_unknown_fields=True):
    """The recipient `to` and the `copies` of the planned reply. Without them: the requester and the default readers."""

    copies: Annotated[list[Email], msgspec.Meta(max_length=limits.participants_max)] | None = None
    to: Email | None = None


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/recipients",
    summary="Preview the recipients of a reply",
    needs=Permission.tickets_read,
    body=WantedCopies,
    answers={200: Recipients},
    problems=(404,),
)
def preview_recipients(call: Call[WantedCopies]) -> Answer:
    """Changes and sends nothing. A reply with the same `copies` goes to these recipients.

    `to_grade` is proved, unjudged or unproved: how well the address of a mail's author is known; null on other
    channels.
    """
    ticket = ticket_of(call)
    chosen = participants.chosen_recipient(ticket, call.body.to)
    readers = participants.of_reply(ticket, call.body.copies, to=chosen)
    contact = participants.contact_of(ticket)
    if chosen is not None:
        contact = participants.Reader(inbound.Participant("", chosen.address), "the agent names it")
    return Answer(
        Recipients(
            ticket.contact_channel if chosen is None else chosen.account.channel,
            ticket.contact_account if chosen is None else chosen.account.name,
            None if contact is None else _recipient(contact),
            ticket.contact_grade if chosen is None else None,
            [_recipient(one) for one in readers.copies],
            [_recipient(one) for one in readers.left_out],
            _warnings(ticket, chosen, readers),
        )
    )


def _warnings(ticket: Ticket, chosen: participants.ChosenRecipient | None, readers: participants.Readers) -> list[str]:
    found = []
    if not participants.reaches_requester(ticket, chosen, readers.people):
        found.append("The requester does not get this message.")
    last = participants.last_without_requester(ticket)
    if last is not None:
        found.append(f"The last reply went to {last} and not to the requester.")
    return found


def _recipient(reader: participants.Reader) -> Recipient:
    return Recipient(reader.person.address, reader.person.name, reader.reason)
