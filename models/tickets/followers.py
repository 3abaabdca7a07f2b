"""People who follow a ticket. They see it, whatever its team. Commands join the caller's transaction."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from models.events.ticket_payloads import FollowerAdded, FollowerRemoved
from models.kernel import limits
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.tickets.tables import TicketFollower
from models.tickets.ticket_change import TicketChange

Reason = Literal["follows", "mentioned"]

# `{id}` and `{me}` are replaced by columns or bound values; models/visibility/sight.py has the whole rule.
FOLLOWED: Final = "EXISTS (SELECT 1 FROM ticket_followers AS f WHERE f.ticket_id = {id} AND f.user_id = {me})"


def of_ticket(ticket_id: UUID) -> list[database.Row]:
    """List the followers of a ticket in the order in which they joined."""
    query = TicketFollower.select().where(TicketFollower.ticket_id == ticket_id)
    return database.rows(query.order_by(TicketFollower.created_at, TicketFollower.user_id))


def add(change: TicketChange, user_id: UUID, *, reason: Reason) -> bool:
    """Let a user follow the ticket. Return False for a user who already does. Raises Conflict beyond the bound."""
    known = {row["user_id"] for row in of_ticket(change.ticket.id)}
    if user_id in known:
        return False
    if len(known) >= limits.followers_max:
        raise Conflict(f"expected at most {limits.followers_max} followers of a ticket, found {len(known)}")
    database.execute(
        "INSERT INTO ticket_followers (ticket_id, user_id, reason, created_at) VALUES (:ticket, :user, :reason, :at)"
        " ON CONFLICT (ticket_id, user_id) DO NOTHING",
        ticket=change.ticket.id,
        user=user_id,
        reason=reason,
        at=change.at,
    )
    change.ticket.follower_count = len(known) + 1
    change.record(FollowerAdded(user_id=user_id, reason=reason))
    return True


def remove(change: TicketChange, user_id: UUID) -> bool:
    """Remove a follower. Return False for a user who does not follow the ticket."""
    gone = database.execute(
        "DELETE FROM ticket_followers WHERE ticket_id = :ticket AND user_id = :user",
        ticket=change.ticket.id,
        user=user_id,
    ).rowcount
    if gone:
        change.ticket.follower_count = len(of_ticket(change.ticket.id))
        change.record(FollowerRemoved(user_id=user_id))
    return bool(gone)
