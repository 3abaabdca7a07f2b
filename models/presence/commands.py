"""Say and end presence. Commands join the caller's transaction."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from models.kernel.storage import database

Doing = Literal["viewing", "writing"]

# -- limits ----------------------------------------------------------------------------------------------------
presence_s = 30.0  # two or three polls of a console may be lost
_written_again_s = 20.0  # a repeat changes the row only when less than this is left
tickets_per_user_max = 20  # windows that a person has open; the oldest ones give way

_SAY = (
    "INSERT INTO presences (ticket_id, user_id, doing, expires_at)"
    " VALUES (:ticket_id, :user_id, :doing, NOW_PLUS(:presence_s))"
    " ON CONFLICT (ticket_id, user_id) DO UPDATE SET doing = excluded.doing, expires_at = excluded.expires_at"
    " WHERE presences.doing <> excluded.doing OR presences.expires_at < NOW_PLUS(:written_again_s)"
)
_TIDY = (
    "DELETE FROM presences WHERE user_id = :user_id AND (expires_at < NOW() OR ticket_id NOT IN"
    " (SELECT kept.ticket_id FROM presences AS kept WHERE kept.user_id = :user_id"
    " ORDER BY kept.expires_at DESC, kept.ticket_id LIMIT :tickets))"
)


def say(ticket_id: UUID, user_id: UUID, doing: Doing) -> None:
    """Say that a user looks at a ticket or writes in it. Removes the user's expired presence in other tickets."""
    changed = database.execute(
        _SAY,
        ticket_id=ticket_id,
        user_id=user_id,
        doing=doing,
        presence_s=presence_s,
        written_again_s=_written_again_s,
    ).rowcount
    if changed:
        database.execute(_TIDY, user_id=user_id, tickets=tickets_per_user_max)


def leave(ticket_id: UUID, user_id: UUID) -> None:
    """End the presence of a user in a ticket."""
    database.execute(
        "DELETE FROM presences WHERE ticket_id = :ticket_id AND user_id = :user_id",
        ticket_id=ticket_id,
        user_id=user_id,
    )


def collect() -> None:
    """Delete expired presence, also of users who do not come back."""
    database.execute("DELETE FROM presences WHERE expires_at < NOW()")
