"""List the ratings of visible tickets, with their comments."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.storage import database
from models.kernel.storage.table import newest_first
from models.ticket_workflow.tables import Rating
from models.tickets.tables import Ticket
from models.visibility.sight import Sight


class RatedTicket(TypedDict):
    """A rating with the number of its ticket."""

    id: UUID
    ticket_id: UUID
    ticket_number: int
    score: int
    comment: str | None
    rated_at: datetime


def page(
    sight: Sight, *, before: tuple[datetime, UUID] | None, limit: int, score: int | None, commented: bool
) -> list[RatedTicket]:
    """Return ratings that were given, newest first."""
    query = (
        Rating.select(
            Rating.id,
            Rating.ticket_id,
            Ticket.number.alias("ticket_number"),
            Rating.score,
            Rating.comment,
            Rating.rated_at,
        )
        .join(Ticket, on=(Ticket.id == Rating.ticket_id))
        .where(Rating.score.is_null(False), Rating.rated_at.is_null(False), sight.tickets())
    )
    if score is not None:
        query = query.where(Rating.score == score)
    if commented:
        query = query.where(Rating.comment.is_null(False), Rating.comment != "")
    return database.rows_as(RatedTicket, newest_first(query, Rating.rated_at, Rating.id, before=before, limit=limit))
