"""/v1/tickets/{ticket}/followers: users who follow a ticket and therefore see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views.representations import Person
from models.identity import queries as identity
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.ticket_actions import following
from models.tickets import followers

operations = Operations()


class Follower(msgspec.Struct):
    """A user who follows a ticket. `reason`: follows, or mentioned (by a note)."""

    user: Person
    reason: str
    created_at: datetime


class Followers(msgspec.Struct):
    """The followers of a ticket."""

    items: list[Follower]


def _shown(ticket_id: UUID) -> Answer:
    rows = followers.of_ticket(ticket_id)
    names = identity.names_of({row["user_id"] for row in rows})
    items = [
        Follower(Person(row["user_id"], names.get(row["user_id"], "")), row["reason"], row["created_at"])
        for row in rows
    ]
    return Answer(Followers(items))


def _user(call: AnyCall) -> UUID:
    """The user of the path; `me` is the caller. Raises Conflict for an API key that names itself."""
    if call.params["user"] != "me":
        return pages.id_of(call.params["user"], "user")
    if call.caller.kind != "user":
        raise Conflict("An API key follows no ticket; name a user.")
    return call.caller.id


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/followers",
    summary="List a ticket's followers",
    needs=Permission.tickets_read,
    answers={200: Followers},
    problems=(404,),
)
def list_followers(call: Call) -> Answer:
    """In the order in which they joined."""
    return _shown(ticket_of(call).id)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/followers/{user}",
    summary="Follow a ticket",
    needs=Permission.tickets_write,
    answers={200: Followers},
    problems=(404, 409),
)
def follow(call: Call) -> Answer:
    """`me` is the caller. A follower sees the ticket, whatever its team. Idempotent."""
    ticket = ticket_of(call)
    following.follow(ticket.id, _user(call), actor=call.caller.actor)
    return _shown(ticket.id)


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/followers/{user}",
    summary="Unfollow a ticket",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404, 409),
)
def unfollow(call: Call) -> Answer:
    """`me` is the caller. Idempotent."""
    following.unfollow(ticket_of(call).id, _user(call), actor=call.caller.actor)
    return Answer(status=204)
