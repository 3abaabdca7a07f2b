"""Approvals as rows: the transition that waits, the team, the votes and the outcome."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ticket_workflow.row_types import ApprovalRow, VoteRow
from models.ticket_workflow.tables import Approval, ApprovalVote
from models.tickets.ticket_change import TicketChange
from models.workflow.acts import ApprovalAsked, ApprovalDecided, ApprovalVoted
from models.workflow.instance import PendingApproval

# Outcome -> the states of the approvals that it ends; any other outcome ends one that waits.
_ENDS = {"withdrawn": ("pending", "approved"), "lapsed": ("approved",)}


def waiting_and_given(ticket_id: UUID) -> tuple[dict[str, PendingApproval], frozenset[str]]:
    """Read the pending approvals of a ticket, by transition, and the transitions whose given approval stands."""
    found = {}
    rows = of_ticket(ticket_id)
    for row in rows:
        if row["state"] != "pending":
            continue
        found[row["transition"]] = PendingApproval(
            row["transition"],
            row["team"],
            row["needed"],
            asked_by=row["requested_by"] or "",
            expires_at=row["expires_at"],
            votes={str(vote["user_id"]): vote["vote"] for vote in row["votes"]},
            comment=row["requested_comment"],
        )
    return found, frozenset(row["transition"] for row in rows if row["state"] == "approved")


def of_ticket(ticket_id: UUID) -> list[ApprovalRow]:
    """List the approvals of a ticket, oldest first, each with its votes. Statements, because decisions read them."""
    rows = [
        Approval.converted(row)
        for row in database.run(
            "SELECT id, transition, team, needed, state, requested_by, requested_comment, requested_at,"
            " expires_at, decided_at"
            " FROM approvals WHERE ticket_id = :id ORDER BY id",
            id=ticket_id,
        )
    ]
    votes = (
        database.run(
            "SELECT v.approval_id, v.user_id, v.vote, v.comment, v.at FROM approval_votes AS v JOIN approvals AS a"
            " ON a.id = v.approval_id WHERE a.ticket_id = :id ORDER BY v.at, v.user_id",
            id=ticket_id,
        )
        if rows
        else []
    )
    cast_votes = [cast(VoteRow, ApprovalVote.converted(vote)) for vote in votes]
    return [
        cast(ApprovalRow, row | {"votes": [vote for vote in cast_votes if vote["approval_id"] == row["id"]]})
        for row in rows
    ]


def ask(change: TicketChange, act: ApprovalAsked) -> UUID:
    """Note that a transition waits; returns the approval's id."""
    approval_id = new_id()
    change.batch.insert(
        "approvals",
        {
            "id": approval_id,
            "ticket_id": change.ticket.id,
            "transition": act.transition,
            "team": act.team,
            "needed": act.needed,
            "state": "pending",
            "requested_by": change.actor.id,
            "requested_comment": act.comment,
            "requested_at": change.at,
            "expires_at": act.expires_at,
        },
    )
    return approval_id


def vote(change: TicketChange, act: ApprovalVoted) -> None:
    """Keep a vote that counts; the primary key refuses a second one of the same person."""
    approval_id = _pending_id(change, act.transition)
    change.batch.insert(
        "approval_votes",
        {
            "approval_id": approval_id,
            "user_id": UUID(act.user),
            "vote": act.vote,
            "comment": act.comment,
            "at": change.at,
        },
    )


def decide(change: TicketChange, act: ApprovalDecided) -> None:
    """The approval is over: approved, refused, expired, cancelled, withdrawn or lapsed."""
    places, values = database.in_list("before", _ENDS.get(act.outcome, ("pending",)))
    database.execute(
        "UPDATE approvals SET state = :state, decided_at = :at WHERE ticket_id = :ticket AND transition = :transition"
        f" AND state IN {places}",
        values,
        state=act.outcome,
        at=change.at,
        ticket=change.ticket.id,
        transition=act.transition,
    )


def _pending_id(change: TicketChange, transition: str) -> Any:
    row = database.one(
        "SELECT id FROM approvals WHERE ticket_id = :ticket AND transition = :transition AND state = 'pending'",
        ticket=change.ticket.id,
        transition=transition,
    )
    assert row is not None, "the engine counts votes on what waits only"
    return row["id"]
