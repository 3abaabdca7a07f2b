"""Links between tickets, and the event that tells a parent that its child is done."""

from __future__ import annotations

from typing import Final, cast
from uuid import UUID

from models.kernel.storage import database
from models.tasks.payloads import AdvanceTicket
from models.ticket_workflow.row_types import LinkRow
from models.ticket_workflow.tables import TicketLink
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.sight import Sight, visible_ids

# Kinds whose links form no circle.
WITHOUT_CIRCLES: Final = frozenset({"child", "blocks"})


def of_ticket(ticket_id: UUID, sight: Sight) -> list[LinkRow]:
    """List the visible tickets that a ticket is linked with. `kind` is the other ticket's role: child, parent or
    related.
    """
    rows = database.run(
        "SELECT l.kind, t.id, t.number, t.title, t.state, t.category FROM ticket_links AS l JOIN tickets AS t ON"
        " t.id = l.to_id"
        " WHERE l.from_id = :id UNION ALL SELECT CASE WHEN l.kind = 'child' THEN 'parent' ELSE l.kind END, t.id,"
        " t.number, t.title,"
        " t.state, t.category FROM ticket_links AS l JOIN tickets AS t ON t.id = l.from_id WHERE l.to_id = :id"
        " ORDER BY 3",
        id=ticket_id,
    )
    found = [cast(LinkRow, Ticket.converted(row)) for row in rows]
    visible = visible_ids(sight, {row["id"] for row in found})
    return [row for row in found if row["id"] in visible]


def tell_parents(change: TicketChange) -> None:
    """Send `linked_ticket_done` to the workflows of the parents of a ticket that is done."""
    rows = database.run("SELECT from_id FROM ticket_links WHERE to_id = :id AND kind = 'child'", id=change.ticket.id)
    for row in map(TicketLink.converted, rows):
        from_id = row["from_id"]
        payload = AdvanceTicket(ticket_id=from_id, event="linked_ticket_done", linked_id=change.ticket.id)
        change.enqueue(payload, key=f"ticket:{from_id}")


def closes_circle(from_id: UUID, to_id: UUID, kind: str) -> bool:
    """Return True if a link would make a ticket its own ancestor, or block itself, over any number of links."""
    if kind not in WITHOUT_CIRCLES:
        return False
    if from_id == to_id:
        return True
    row = database.one(
        "WITH RECURSIVE below(id) AS (SELECT to_id FROM ticket_links WHERE from_id = :start AND kind = :kind UNION"
        " SELECT l.to_id FROM ticket_links AS l JOIN below AS b ON l.from_id = b.id WHERE l.kind = :kind)"
        " SELECT 1 AS yes FROM below WHERE id = :end",
        start=to_id,
        end=from_id,
        kind=kind,
    )
    return row is not None
