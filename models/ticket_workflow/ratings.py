"""Ratings: what requesters say of how it went, by the link that a life cycle sent them.

A link stays in mailboxes and in forwarded mails, so it ends some time after the ticket was closed. A press that changes
nothing writes nothing. The number of changes is bounded, because each one is an event that the life cycle reacts to.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import cast
from uuid import UUID

from models.events.commands import Actor
from models.events.ticket_payloads import TicketRated
from models.kernel import clock, settings
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.tasks.payloads import AdvanceTicket
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.ticket_workflow.row_types import RatingRow
from models.ticket_workflow.tables import Rating
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange

# A person corrects a wrong press and changes their mind once or twice.
rating_changes_max = 10


class RatingEnded(NotFound):
    """The time for this rating is over."""

    code = "rating_ended"


class RatingIsFinal(Conflict):
    """This rating was changed too often; it stays as it is."""

    code = "rating_is_final"


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
    "SELECT r.id, r.ticket_id, t.number AS ticket_number, t.title, t.requester_id, r.score, r.comment, r.changes,"
    " r.asked_at, t.closed_at"
    " FROM ratings AS r JOIN tickets AS t ON t.id = r.ticket_id"
)


def _found(row: database.Row | None) -> RatingRow:
    if row is None:
        raise NotFound("there is no such rating")
    found = cast(RatingRow, Rating.converted(Ticket.converted(row)))
    closed_at = found["closed_at"]
    open_for = timedelta(days=settings.current().rating_days)
    if closed_at is not None and clock.now() > max(closed_at, found["asked_at"]) + open_for:
        raise RatingEnded()
    return found


def find(token: str) -> RatingRow:
    """Read the rating that a link asks for. Raises NotFound for an unknown token, RatingEnded for an old one."""
    hashed = hashlib.sha256(token.encode()).hexdigest()
    return _found(database.one(f"{_SELECT} WHERE r.token_hash = :hash", hash=hashed))


def of_ticket(ticket_id: UUID) -> RatingRow | None:
    """Return the rating that was asked for last in a ticket; None without one, and after its time."""
    row = database.one(
        f"{_SELECT} WHERE r.ticket_id = :ticket ORDER BY r.asked_at DESC, r.id DESC LIMIT 1", ticket=ticket_id
    )
    try:
        return None if row is None else _found(row)
    except RatingEnded:
        return None


def rate_by_id(rating_id: UUID, score: int) -> None:
    """Record the score of a pressed button and keep the comment. Joins the caller's transaction.

    Raises NotFound, RatingEnded, RatingIsFinal.
    """
    asked = _by_id(rating_id)
    _record(asked, score, asked["comment"])


def rate_of_ticket(ticket_id: UUID, score: int, comment: str | None) -> None:
    """Record the score and the comment of the rating that was asked for last. Joins the caller's transaction.

    Raises NotFound, RatingIsFinal.
    """
    asked = of_ticket(ticket_id)
    if asked is None:
        raise NotFound("no rating of this ticket is asked for")
    _record(asked, score, comment)


def rate(token: str, score: int, comment: str | None) -> RatingRow:
    """Record a score from 1 to 5 as an event, and let the workflow react to `rated`. Joins the caller's transaction.

    Raises NotFound, RatingEnded, RatingIsFinal.
    """
    _record(find(token), score, comment)
    return find(token)


def _by_id(rating_id: UUID) -> RatingRow:
    return _found(database.one(f"{_SELECT} WHERE r.id = :id", id=rating_id))


def _record(asked: RatingRow, score: int, comment: str | None) -> None:
    change = TicketChange.of(asked["ticket_id"], actor=Actor("requester", str(asked["requester_id"] or ""), ""))
    # Under the lock of the ticket: of two equal presses at once, the second one changes nothing.
    now = _by_id(asked["id"])
    if (now["score"], now["comment"]) == (score, comment):
        return
    if now["changes"] >= rating_changes_max:
        raise RatingIsFinal()
    database.execute(
        "UPDATE ratings SET score = :score, comment = :comment, rated_at = :at, changes = changes + 1 WHERE id = :id",
        score=score,
        comment=comment,
        at=change.at,
        id=asked["id"],
    )
    event_id = change.record(TicketRated(payload={"score": score}, comment=comment))
    payload = AdvanceTicket(ticket_id=change.ticket.id, event="rated", event_id=event_id)
    change.enqueue(payload, key=ticket_key(change.ticket.id))
    change.save(visible=False)
