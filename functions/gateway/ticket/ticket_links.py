"""/v1/tickets/{ticket}/links: related tickets."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.http.operations import Answer, Call, Operations
from models.identity.rules import Permission
from models.ticket_workflow import links

operations = Operations()


class LinkShown(msgspec.Struct):
    """A related ticket. `kind` is its relation to this one."""

    kind: str
    id: UUID
    number: int
    title: str
    state: str
    category: str


class Links(msgspec.Struct):
    """The related tickets of a ticket."""

    items: list[LinkShown]


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/links",
    summary="List a ticket's related tickets",
    needs=Permission.tickets_read,
    answers={200: Links},
    problems=(404,),
)
def list_links(call: Call) -> Answer:
    """Returns the linked tickets by number."""
    ticket = ticket_of(call)
    return Answer(msgspec.convert({"items": links.of_ticket(ticket.id, sight_of(call))}, Links))
