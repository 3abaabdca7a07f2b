"""/v1/tickets/{ticket}/links: related tickets."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.identity.rules import Permission
from models.ticket_workflow import links
from models.tickets import queries

operations = Operations()


class LinkShown(msgspec.Struct):
    """A ticket that belongs to this one; `kind` is what the other one is to it."""

    kind: str
    id: UUID
    number: int
    title: str
    state: str
    category: str


class Links(msgspec.Struct):
    items: list[LinkShown]


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/links",
    summary="Tickets that belong to this one",
    needs=Permission.tickets_read,
    answers={200: Links},
    problems=(404,),
)
def list_links(call: Call) -> Answer:
    """In the order of their numbers."""
    ticket = queries.find(call.params["ticket"])
    return Answer(msgspec.convert({"items": links.of_ticket(ticket.id)}, Links))
