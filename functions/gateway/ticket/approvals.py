"""/v1/tickets/{ticket}/approvals: transitions that need the votes of a team."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.gateway.ticket.transitions import refused
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.ticket_actions import commands
from models.ticket_workflow import approvals

operations = Operations()


class Vote(msgspec.Struct):
    """A member's vote."""

    user_id: UUID
    vote: str
    comment: str | None
    at: datetime


class ApprovalShown(msgspec.Struct):
    """A transition that needs, or needed, the votes of a team."""

    id: UUID
    transition: str
    team: str
    needed: int
    state: str
    requested_by: str | None
    requested_comment: str | None
    requested_at: datetime
    expires_at: datetime | None
    decided_at: datetime | None
    votes: list[Vote]


class Approvals(msgspec.Struct):
    """The approvals of a ticket."""

    items: list[ApprovalShown]


class NewVote(msgspec.Struct, forbid_unknown_fields=True):
    """A vote on a pending approval."""

    vote: Literal["approve", "refuse"]
    comment: Comment | None = None


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/approvals",
    summary="List a ticket's approvals",
    needs=Permission.tickets_read,
    answers={200: Approvals},
    problems=(404,),
)
def list_approvals(call: Call) -> Answer:
    """Oldest first, with the votes."""
    ticket = ticket_of(call)
    return Answer(msgspec.convert({"items": approvals.of_ticket(ticket.id)}, Approvals))


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/approvals/{approval}/votes",
    summary="Vote on an approval",
    needs=Permission.tickets_write,
    body=NewVote,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def vote(call: Call[NewVote]) -> Answer:
    """Members of the team vote once each.

    A vote that does not count answers 409 with the reasons. The last required vote takes the transition.
    """
    ticket = ticket_of(call)
    approval_id = pages.id_of(call.params["approval"], "approval")
    known = {str(row["id"]): row["transition"] for row in approvals.of_ticket(ticket.id)}
    if str(approval_id) not in known:
        raise NotFound(f"there is no approval {approval_id}")
    row, reasons = commands.vote(
        ticket.id,
        known[str(approval_id)],
        call.body.vote,
        comment=call.body.comment,
        role=call.caller.role,
        actor=call.caller.actor,
    )
    if reasons:
        return refused(call, row, reasons)
    return Answer(show.tickets([row], role=call.caller.role)[0], headers=show.etag(row.version))
