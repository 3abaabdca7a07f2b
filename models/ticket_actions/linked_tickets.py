"""Creates the ticket that another ticket's workflow asks for, and links the two."""

from __future__ import annotations

from uuid import UUID

from models.events.commands import SYSTEM
from models.events.tables import EventRow
from models.events.workflow_payloads import LinkedTicket, LinkedTicketMade
from models.kernel import clock, limits
from models.kernel.errors import NotFound, PermanentFailure
from models.kernel.storage import database
from models.kernel.text import one_line
from models.ticket_actions import commands
from models.tickets.ticket_change import TicketChange


def make(ticket_id: UUID, event_id: UUID, *, causation_id: str) -> None:
    """Create and link the ticket that the event `linked_ticket_wanted` asks for. Joins the caller's transaction.

    Raises PermanentFailure beyond limits.linked_depth_max (two life cycles that make each other's tickets end there).
    """
    wanted = database.one("SELECT payload FROM events WHERE event_id = :id", id=event_id)
    if wanted is None:
        raise NotFound(f"there is no event {event_id}")
    payload: LinkedTicket = EventRow.converted(wanted)["payload"]["wanted"]
    if _depth(ticket_id) >= limits.linked_depth_max:
        raise PermanentFailure(f"tickets made by tickets are more than {limits.linked_depth_max} deep")
    new = commands.NewTicket(
        title=one_line(payload["title"] or "", limits.ticket_title_chars_max) or "(no title)",
        description=payload["description"],
        type=payload["type"],
        workflow=payload["workflow"],
        priority=payload["priority"] or "normal",
        team=payload["team"],
        fields=payload["fields"],
    )
    made = commands.create(new, actor=SYSTEM, causation_id=causation_id)
    database.execute(
        "INSERT INTO ticket_links (from_id, to_id, kind, created_at) VALUES (:from_id, :to_id, :kind, :at)",
        from_id=ticket_id,
        to_id=made.id,
        kind=payload["link"],
        at=clock.now(),
    )
    change = TicketChange.of(ticket_id, actor=SYSTEM, causation_id=causation_id)
    change.record(LinkedTicketMade(ticket_id=made.id, number=made.number, link=payload["link"]))
    change.save()


def _depth(ticket_id: UUID) -> int:
    """Count the ancestors of a ticket in its chain of parents."""
    row = database.one(
        "WITH RECURSIVE above(id, depth) AS (SELECT from_id, 1 FROM ticket_links WHERE to_id = :id UNION ALL"
        " SELECT l.from_id, a.depth + 1 FROM ticket_links AS l JOIN above AS a ON l.to_id = a.id WHERE a.depth < :most)"
        " SELECT max(depth) AS depth FROM above",
        id=ticket_id,
        most=limits.linked_depth_max,
    )
    return int((row["depth"] if row else 0) or 0)
