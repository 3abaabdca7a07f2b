"""Read who is present in tickets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypedDict, cast
from uuid import UUID

from models.identity.tables import UserRow
from models.kernel.storage import database
from models.kernel.storage.table import now
from models.presence.tables import Presence
from models.tickets.tables import Ticket
from models.visibility.sight import Sight

# -- limits ----------------------------------------------------------------------------------------------------
shown_max = 500  # of the whole desk; a desk of 500 people has a few dozen at a time


class Present(TypedDict):
    """A user who is present in a ticket. `doing`: viewing or writing."""

    ticket_id: UUID
    user_id: UUID
    user_name: str
    doing: str


def of_tickets(ticket_ids: Collection[UUID], *, without: UUID | None = None) -> dict[UUID, list[Present]]:
    """Return who is present in each ticket, in one statement. The caller has checked that the tickets are visible.

    `without` leaves a user out, usually the one who asks. Tickets without anybody are left out.
    """
    if not ticket_ids:
        return {}
    found: dict[UUID, list[Present]] = {}
    for row in _rows(_present(without).where(Presence.ticket_id.in_(list(ticket_ids)))):
        found.setdefault(row["ticket_id"], []).append(row)
    return found


def visible(sight: Sight, *, without: UUID | None = None) -> list[Present]:
    """Return who is present in the visible tickets of the desk, up to `shown_max`."""
    # Mostly nobody is, and then a poll of the feed composes no query.
    if database.one("SELECT 1 AS one FROM presences WHERE expires_at > NOW() LIMIT 1") is None:
        return []
    query = _present(without).join(Ticket, on=(Ticket.id == Presence.ticket_id)).where(sight.tickets())
    return _rows(query.limit(shown_max))


def _present(without: UUID | None) -> Any:
    query = (
        Presence.select(Presence.ticket_id, Presence.user_id, UserRow.name.alias("user_name"), Presence.doing)
        .join(UserRow, on=(UserRow.id == Presence.user_id))
        .switch(Presence)
        .where(Presence.expires_at > now(), UserRow.active)
        .order_by(Presence.ticket_id, UserRow.name, Presence.user_id)
    )
    return query if without is None else query.where(Presence.user_id != without)


def _rows(query: Any) -> list[Present]:
    return [cast(Present, row) for row in database.rows(query)]
