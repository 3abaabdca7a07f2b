"""Ratings: what requesters say of how it went, by the link that a life cycle sent them."""

from __future__ import annotations

import hashlib
import secrets
from typing import cast
from uuid import UUID

from models.events.commands import Actor
from models.events.ticket_payloads import TicketRated
from models.kernel import settings
from models.kernel.errors import NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.tasks.payloads import AdvanceTicket
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.ticket_workflow.row_types import RatingRow
from models.ticket_workflow.tables import Rating
from models.tickets.ticket_change import TicketChange


def new_url(change: TicketChange) -> str:
    """Make a link by which the requester rates the ticket. The desk keeps a hash of its token."""
    token = secrets.token_urlsafe(24)
    change.rating_id = new_id()
    change.batch.insert(
        "ratings",
        {
            "id": change.rating_id,
            "ticket_id": change.ticket.id,
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "asked_at": change.at,
        },
    )
    return f"{settings.current().public_url}/v1/rating_pages/{token}"


_SELECT = (
    "SELECT r.id, r.ticket_id, t.number AS ticket_number, t.title, t.requester_id, r.score, r.comment"
    " FROM ratings AS r JOIN tickets AS t ON t.id = r.ticket_id"
)


def _found(row: database.Row | None) -> RatingRow:
    if row is None:
        raise NotFound("there is no such rating")
    return cast(RatingRow, Rating.converted(row))


def find(token: str) -> RatingRow:
    """Read the rating that a link asks for. Raises NotFound for an unknown token."""
    hashed = hashlib.sha256(token.encode()).hexdigest()
    return _found(database.one(f"{_SELECT} WHERE r.token_hash = :hash", hash=hashed))


def rate_by_id(rating_id: UUID, score: int) -> None:
    """Record the score of a pressed button; a second press changes it. Joins the caller's transaction.

    Raises NotFound.
    """
    _record(_found(database.one(f"{_SELECT} WHERE r.id = :id", id=rating_id)), score, None)


def rate(token: str, score: int, comment: str | None) -> RatingRow:
    """Record a score from 1 to 5 as an event, and let the workflow react to `rated`. Joins the caller's transaction."""
    _record(find(token), score, comment)
    return find(token)


def _record(asked: RatingRow, score: int, comment: str | None) -> None:
    change = TicketChange.of(asked["ticket_id"], actor=Actor("requester", str(asked["requester_id"] or ""), ""))
    database.execute(
        "UPDATE ratings SET score = :score, comment = :comment, rated_at = :at WHERE id = :id",
        score=score,
        comment=comment,
        at=change.at,
        id=asked["id"],
    )
    event_id = change.record(TicketRated(payload={"score": score}, comment=comment))
    payload = AdvanceTicket(ticket_id=change.ticket.id, event="rated", event_id=event_id)
    change.enqueue(payload, key=ticket_key(change.ticket.id))
    change.save(visible=False)
