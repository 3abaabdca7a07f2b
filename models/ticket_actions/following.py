"""Follow a ticket: a follower sees it, whatever its team. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from models.events.commands import Actor
from models.identity import queries as identity
from models.kernel.errors import FieldProblem, Invalid
from models.ticket_workflow.acts import notices
from models.tickets import followers
from models.tickets.ticket_change import TicketChange


def follow(ticket_id: UUID, user_id: UUID, *, actor: Actor) -> None:
    """Let a user follow a ticket. A repetition changes nothing. Raises Invalid, Conflict."""
    _check([user_id], "/user")
    change = TicketChange.of(ticket_id, actor=actor)
    if followers.add(change, user_id, reason="follows"):
        change.save()


def unfollow(ticket_id: UUID, user_id: UUID, *, actor: Actor) -> None:
    """Remove a follower. A repetition changes nothing."""
    change = TicketChange.of(ticket_id, actor=actor)
    if followers.remove(change, user_id):
        change.save()


def mention(change: TicketChange, user_ids: Sequence[UUID]) -> None:
    """Let the users whom a note mentions see the ticket, and notify them. Raises Invalid, Conflict."""
    _check(user_ids, "/mentions")
    for user_id in user_ids:
        followers.add(change, user_id, reason="mentioned")
        text = f"{change.actor.name} mentioned you in ticket #{change.ticket.number}."
        notices.add(change, user_id, rule="mentioned", text=text)


def _check(user_ids: Sequence[UUID], path: str) -> None:
    for index, user_id in enumerate(user_ids):
        if not identity.can_read_tickets(user_id):
            place = path if path == "/user" else f"{path}/{index}"
            raise Invalid([FieldProblem(place, "expected the id of an active user who can read tickets")])
