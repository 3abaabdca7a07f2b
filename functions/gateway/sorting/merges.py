"""/v1/tickets/{ticket}/merges: merge a ticket into another one, and the tickets that were merged into it."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.gateway.sorting import undos
from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.regrouping import merging
from models.undo import commands as undo
from models.visibility import sight

operations = Operations()


class NewTicketMerge(msgspec.Struct, forbid_unknown_fields=True):
    """The ticket to merge this one into, by id. `confirm` is needed for tickets of two requesters or life cycles."""

    into: UUID
    confirm: bool = False


class TicketMerge(msgspec.Struct):
    """A merge: the closed ticket, the ticket that has its messages now, and the undo of the merge."""

    merged: show.Ticket
    into: show.Ticket
    undo: undos.Undo


class Merged(msgspec.Struct):
    """The tickets that were merged into a ticket, by number."""

    items: list[show.Ticket]


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/merges",
    summary="Merge a ticket into another one",
    needs=Permission.tickets_merge,
    body=NewTicketMerge,
    answers={201: TicketMerge},
    problems=(404, 409, 422),
    etag="optional",
)
def merge_ticket(call: Call[NewTicketMerge]) -> Answer:
    """Moves the messages of the ticket of the path into the other one, in time order, with files and deliveries.

    The other ticket also gets its participants, followers, tags, links, chats, time entries, drafts, and of each
    running promise the one that is due first. A draft stays in the merged ticket if its author has one in the other
    ticket, or does not see that ticket. Fields, priority, team and assignee of the other ticket stay. The merged ticket
    is closed without a transition, its pending approvals are withdrawn, and later mails, chat messages and replies to
    it join the other ticket.

    Nothing is sent. The merge can be undone for an hour. Answers 409 `merge_refused` with the reason: the other ticket
    is the same, closed, merged itself, or in the bin.
    """
    expected = call.optional_version()
    source = ticket_of(call)
    try:
        target = sight.find(str(call.body.into), sight_of(call))
    except NotFound as error:
        raise Invalid([FieldProblem("/into", error.message)]) from error
    undo_id = merging.merge(
        source.id,
        target.id,
        actor=call.caller.actor,
        sight=sight_of(call),
        confirmed=call.body.confirm,
        expected_version=expected,
    )
    rows = [sight.find(str(one), sight_of(call)) for one in (source.id, target.id)]
    merged, into = show.tickets(rows, role=call.caller.role)
    made = TicketMerge(merged, into, undos.shown(undo.get(undo_id), sight_of(call)))
    return Answer(made, status=201, headers={"Location": f"/v1/tickets/{target.id}"})


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/merges",
    summary="List the tickets that were merged into a ticket",
    needs=Permission.tickets_read,
    answers={200: Merged},
    problems=(404,),
)
def list_merged_tickets(call: Call) -> Answer:
    """Returns them by number, without those that the caller may not see."""
    rows = sight.merged_into(ticket_of(call).id, sight_of(call))
    return Answer(Merged(show.tickets(rows, role=call.caller.role)))
