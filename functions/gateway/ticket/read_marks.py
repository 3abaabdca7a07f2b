"""/v1/tickets/{ticket}/read: the caller's read mark of a ticket."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.read_marks import commands, queries

operations = Operations()


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """The last message that the caller saw. Without it, all messages are read."""

    seen_message: UUID | None = None


class ReadMark(msgspec.Struct):
    """The state of the caller's read mark."""

    unread: bool


def _user(call: AnyCall) -> UUID:
    """The user whose mark it is. Raises Conflict for an API key."""
    if call.caller.kind != "user":
        raise Conflict("An API key reads no tickets for a person; sign in as a user.")
    return call.caller.id


def _shown(call: AnyCall, ticket_id: UUID) -> Answer:
    return Answer(ReadMark(ticket_id in queries.unread_among([ticket_id], _user(call))))


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/read",
    summary="Mark a ticket read",
    needs=Permission.tickets_read,
    body=Reading,
    answers={200: ReadMark},
    problems=(404, 409),
)
def mark_read(call: Call[Reading]) -> Answer:
    """Marks the messages up to `seen_message` read for the caller. A later message of the requester makes the ticket
    unread again; replies, notes and machines do not. `unread` of the list of tickets is the mark.
    """
    ticket = ticket_of(call)
    commands.mark_read(ticket.id, _user(call), seen_message=call.body.seen_message)
    return _shown(call, ticket.id)


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/read",
    summary="Mark a ticket unread",
    needs=Permission.tickets_read,
    answers={200: ReadMark},
    problems=(404, 409),
)
def mark_unread(call: Call) -> Answer:
    """The ticket is unread for the caller until the next reading. Idempotent."""
    ticket = ticket_of(call)
    commands.mark_unread(ticket.id, _user(call))
    return _shown(call, ticket.id)
