"""Links between tickets, and the event that reports a linked ticket as done."""

from __future__ import annotations

from typing import Final, cast
from uuid import UUID

from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.tasks.payloads import AdvanceTicket
from models.ticket_workflow.row_types import LinkRow
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.sight import Sight, visible_ids

# Kinds whose links form no circle.
WITHOUT_CIRCLES: Final = frozenset({"child", "blocks"})


# Kind of a link -> the kind as seen from its other end.
SEEN_FROM_OTHER_END: Final = {
    "child": "parent",
    "blocks": "blocked_by",
    "duplicates": "duplicated_by",
    "split_from": "split_into",
}


def of_ticket(ticket_id: UUID, sight: Sight) -> list[LinkRow]:
    """List the visible tickets that a ticket is linked with. `kind` is the relation as seen from the ticket."""
    rows = database.run(
        "SELECT l.kind, 0 AS is_other_end, t.id, t.number, t.title, t.state, t.category FROM ticket_links AS l"
        " JOIN tickets AS t ON t.id = l.to_id WHERE l.from_id = :id UNION ALL"
        " SELECT l.kind, 1, t.id, t.number, t.title, t.state, t.category FROM ticket_links AS l"
        " JOIN tickets AS t ON t.id = l.from_id WHERE l.to_id = :id ORDER BY 4, 1, 2",
        id=ticket_id,
    )
    for row in rows:
        if row.pop("is_other_end"):
            row["kind"] = SEEN_FROM_OTHER_END.get(row["kind"], row["kind"])
    found = [cast(LinkRow, Ticket.converted(row)) for row in rows]
    visible = visible_ids(sight, {row["id"] for row in found})
    return [row for row in found if row["id"] in visible]


def numbers(ticket_id: UUID) -> dict[str, dict[str, int]]:
    """Count the children and the blockers of a ticket, as conditions read them. Tickets in the bin do not count."""
    rows = database.run(
        "SELECT l.kind, t.category, count(*) AS n FROM ticket_links AS l JOIN tickets AS t"
        " ON t.id = CASE l.kind WHEN 'child' THEN l.to_id ELSE l.from_id END"
        " WHERE ((l.kind = 'child' AND l.from_id = :id) OR (l.kind = 'blocks' AND l.to_id = :id))"
        " AND t.binned_at IS NULL GROUP BY l.kind, t.category",
        id=ticket_id,
    )
    found = {"children": {"total": 0, "open": 0, "done": 0}, "blockers": {"total": 0, "open": 0}}
    for row in rows:
        counts, is_done = found["children" if row["kind"] == "child" else "blockers"], row["category"] in _DONE
        counts["total"] += int(row["n"])
        if not is_done:
            counts["open"] += int(row["n"])
        elif "done" in counts:
            counts["done"] += int(row["n"])
    return found


_DONE: Final = frozenset({"done", "closed"})


def report_done(change: TicketChange) -> None:
    """Send `linked_ticket_done` for a ticket that is done: to its parents, to the tickets that it blocks, and to its
    duplicates. `link` in the payload is the kind as seen from them, so a life cycle can tell the cases apart.
    """
    rows = database.run(
        "SELECT from_id AS id, kind FROM ticket_links WHERE to_id = :id AND kind IN ('child', 'duplicates')"
        " UNION ALL SELECT to_id, 'blocked_by' FROM ticket_links WHERE from_id = :id AND kind = 'blocks' ORDER BY 1, 2",
        id=change.ticket.id,
    )
    for row in map(Ticket.converted, rows):
        payload = AdvanceTicket(
            ticket_id=row["id"], event="linked_ticket_done", linked_id=change.ticket.id, link=row["kind"]
        )
        change.enqueue(payload, key=f"ticket:{row['id']}")


def lock_circles() -> None:
    """Let one transaction at a time add links that must form no circle. Call it before tickets are locked."""
    advisory_lock("ticket_links")


def closes_circle(from_id: UUID, to_id: UUID, kind: str, sight: Sight) -> bool:
    """Return True if a link would make a ticket its own ancestor, or block itself, over any number of links between
    visible tickets.

    A refusal for a circle through hidden tickets would tell the caller which tickets these link.
    """
    if kind not in WITHOUT_CIRCLES:
        return False
    if from_id == to_id:
        return True
    conditions, values = sight.condition("t")
    row = database.one(
        "WITH RECURSIVE below(id) AS (SELECT to_id FROM ticket_links WHERE from_id = :start AND kind = :kind UNION"
        " SELECT l.to_id FROM ticket_links AS l JOIN below AS b ON l.from_id = b.id JOIN tickets AS t ON t.id = b.id"
        f" WHERE l.kind = :kind AND {conditions}) SELECT 1 AS yes FROM below WHERE id = :end",
        values,
        start=to_id,
        end=from_id,
        kind=kind,
    )
    return row is not None
