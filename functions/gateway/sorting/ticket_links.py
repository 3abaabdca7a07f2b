"""/v1/tickets/{ticket}/links: related tickets."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.http.operations import Answer, Call, Operations
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.regrouping import linking
from models.ticket_workflow import links
from models.visibility import sight

operations = Operations()


class LinkShown(msgspec.Struct):
    """A related ticket. `kind` is the relation as seen from the ticket of the path: related, child or parent (the other
    ticket is that), blocks, blocked_by, duplicates, duplicated_by, split_from, split_into.
    """

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


class NewTicketLink(msgspec.Struct, forbid_unknown_fields=True):
    """A link to another ticket, by its id. `kind` is the relation as seen from the ticket of the path: it `blocks` the
    other one, it `duplicates` the other one, or the other one is its `child`.
    """

    kind: linking.Kind
    ticket: UUID


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/links",
    summary="Link a ticket with another one",
    needs=Permission.tickets_write,
    body=NewTicketLink,
    answers={201: Links},
    problems=(404, 409, 422),
)
def add_link(call: Call[NewTicketLink]) -> Answer:
    """Idempotent. Answers 409 `link_refused` for a circle of parents or blocks over tickets that the caller sees.

    When a linked ticket is done, the life cycles of its parents, of the tickets that it blocks and of its duplicates
    get the event `linked_ticket_done`.
    """
    ticket = ticket_of(call)
    try:
        other = sight.find(str(call.body.ticket), sight_of(call))
    except NotFound as error:
        raise Invalid([FieldProblem("/ticket", error.message)]) from error
    linking.add(ticket.id, other.id, call.body.kind, actor=call.caller.actor, sight=sight_of(call))
    found = msgspec.convert({"items": links.of_ticket(ticket.id, sight_of(call))}, Links)
    return Answer(found, status=201, headers={"Location": f"/v1/tickets/{ticket.id}/links"})


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/links/{kind}/{other}",
    summary="Remove a link",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404, 409),
)
def remove_link(call: Call) -> Answer:
    """`kind` is the relation as seen from the ticket of the path, as the list of links has it."""
    ticket = ticket_of(call)
    other = sight.find(call.params["other"], sight_of(call))
    linking.remove(ticket.id, other.id, call.params["kind"], actor=call.caller.actor)
    return Answer(status=204)
