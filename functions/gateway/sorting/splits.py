"""/v1/tickets/{ticket}/splits: move messages of a ticket to a new ticket."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.gateway.sorting import undos
from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from functions.views.texts import Title, Word
from models.identity.rules import Permission
from models.regrouping import limits, splitting
from models.undo import commands as undo
from models.visibility import sight

operations = Operations()


class NewSplit(msgspec.Struct, forbid_unknown_fields=True):
    """The messages that move to a new ticket, and its title. Without `type` and `team` it has those of this ticket.

    `requester`: `same`, or `author` for the requester who wrote the first of these messages.
    """

    messages: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=limits.messages_chosen_max)]
    title: Title
    type: Word | None = None
    team: Word | None = None
    requester: Literal["same", "author"] = "same"


class Split(msgspec.Struct):
    """A split: the new ticket, the ticket that keeps the other messages, and the undo of the split."""

    ticket: show.Ticket
    source: show.Ticket
    undo: undos.Undo


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/splits",
    summary="Split a ticket",
    needs=Permission.tickets_merge,
    body=NewSplit,
    answers={201: Split},
    problems=(404, 409, 422),
    etag="optional",
)
def split_ticket(call: Call[NewSplit]) -> Answer:
    """Moves messages with their files and deliveries to a new ticket, which is linked by `split_from`.

    Later answers to the moved messages join the new ticket. It has the participants and followers of this ticket, and
    the fields if the type is the same. Its life cycle begins, its promises start now, and nobody gets an automatic
    message. The split can be undone for an hour. Answers 409 `split_refused` if no message would stay.
    """
    expected = call.optional_version()
    source = ticket_of(call)
    body = call.body
    wish = splitting.Wish(body.messages, body.title.strip(), body.type, body.team, body.requester)
    made_id, undo_id = splitting.split(source.id, wish, actor=call.caller.actor, expected_version=expected)
    rows = [sight.find(str(made_id), sight.DESK), sight.find(str(source.id), sight_of(call))]
    made, left = show.tickets(rows, role=call.caller.role)
    answer = Split(made, left, undos.shown(undo.get(undo_id), sight_of(call)))
    return Answer(answer, status=201, headers={"Location": f"/v1/tickets/{made_id}"})
