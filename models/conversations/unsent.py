"""Messages of a ticket that have not left the desk. Joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from models.kernel import clock
from models.kernel.storage import database


def discard(ticket_id: UUID, states: Sequence[str]) -> None:
    """Discard the ticket's deliveries in these states. A person can send each of them again."""
    places, values = database.in_list("state", states)
    database.execute(
        f"UPDATE deliveries SET state = 'discarded', finished_at = :now WHERE ticket_id = :ticket"
        f" AND state IN {places}",
        values,
        now=clock.now(),
        ticket=ticket_id,
    )
