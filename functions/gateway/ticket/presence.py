"""/v1/tickets/{ticket}/presence: who looks at a ticket or writes in it now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.presence import commands, queries

operations = Operations()


class Presence(msgspec.Struct):
    """A user who looks at a ticket or writes in it. `doing` is `viewing` or `writing`."""

    ticket_id: UUID
    user_id: UUID
    user_name: str
    doing: str


class PresenceList(msgspec.Struct):
    """The other users in a ticket."""

    items: list[Presence]


class PresenceWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The caller's presence."""

    doing: Literal["viewing", "writing"]


def user_of(call: AnyCall) -> UUID:
    """The user whose presence the request is about. Raises Conflict for an API key."""
    if call.caller.kind != "user":
        raise Conflict("An API key has no presence; sign in as a user.")
    return call.caller.id


def shown(rows: Sequence[queries.Present]) -> list[Presence]:
    """The JSON of who is present."""
    return [Presence(**row) for row in rows]


def _others(call: AnyCall, ticket_id: UUID) -> Answer:
    found = queries.of_tickets([ticket_id], without=call.caller.id)
    return Answer(PresenceList(shown(found.get(ticket_id, []))))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/presence",
    summary="List the users in a ticket",
    needs=Permission.tickets_read,
    answers={200: PresenceList},
    problems=(404,),
)
def list_presence(call: Call) -> Answer:
    """Returns the other users who look at the ticket or write in it."""
    return _others(call, ticket_of(call).id)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/presence",
    summary="Say that the caller is in a ticket",
    needs=Permission.tickets_read,
    body=PresenceWanted,
    answers={200: PresenceList},
    problems=(404, 409),
)
def say_presence(call: Call[PresenceWanted]) -> Answer:
    """Holds for 30 seconds; repeat it, or use `viewing` and `writing` of `GET /v1/changes`. Returns the other users."""
    user_id, ticket = user_of(call), ticket_of(call)
    commands.say(ticket.id, user_id, call.body.doing)
    return _others(call, ticket.id)


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/presence",
    summary="Leave a ticket",
    needs=Permission.tickets_read,
    answers={204: None},
    problems=(404, 409),
)
def leave_ticket(call: Call) -> Answer:
    """Ends the caller's presence. Idempotent."""
    commands.leave(ticket_of(call).id, user_of(call))
    return Answer(status=204)
