"""The recorded tickets of a life cycle: those that a caller sees, each with its events in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.conversations import queries as conversations
from models.events.tables import EventRow
from models.kernel.storage import database
from models.ticket_workflow.recorded_payload import Recorded, RecordedPayload
from models.tickets.tables import Ticket
from models.visibility.sight import Sight


@dataclass(frozen=True, slots=True)
class RecordedTicket:
    """A ticket as it is now."""

    id: UUID
    number: int
    state: str
    workflow_version: int


def count_tickets(name: str, since: datetime, sight: Sight) -> int:
    """Count the tickets that a replay would drive."""
    conditions, values = sight.condition()
    row = database.one(
        f"SELECT count(*) AS found FROM tickets WHERE workflow = :name AND updated_at >= :since AND {conditions}",
        values,
        name=name,
        since=since,
    )
    return int(row["found"]) if row else 0


def histories(
    name: str, since: datetime, *, after: UUID | None, most: int, sight: Sight
) -> list[tuple[RecordedTicket, list[Recorded]]]:
    """Return the next tickets of the life cycle, each with its events in order."""
    conditions, values = sight.condition()
    rows = database.run(
        "SELECT id, number, state, workflow_version FROM tickets WHERE workflow = :name AND updated_at >="
        f" :since AND id > :cursor AND {conditions}"
        " ORDER BY id LIMIT :most",
        values,
        name=name,
        since=since,
        cursor=after or UUID(int=0),
        most=most,
    )
    if not rows:
        return []
    tickets = [RecordedTicket(**Ticket.converted(row)) for row in rows]
    places, bound = database.in_list("id", [ticket.id for ticket in tickets])
    events = database.run(
        "SELECT aggregate_id, event_type, occurred_at, actor_kind, actor_id, payload FROM events"
        f" WHERE aggregate = 'ticket' AND aggregate_id IN {places} ORDER BY aggregate_id, sequence",
        bound,
    )
    texts = conversations.texts_of([ticket.id for ticket in tickets])
    by_ticket: dict[UUID, list[Recorded]] = {}
    for row in map(EventRow.converted, events):
        payload, actor_id = RecordedPayload(row["payload"]), str(row["actor_id"])
        text = texts.get(str(payload.get("message_id")), "")
        recorded = Recorded(row["event_type"], row["occurred_at"], row["actor_kind"], actor_id, payload, text)
        by_ticket.setdefault(row["aggregate_id"], []).append(recorded)
    return [(ticket, by_ticket.get(ticket.id, [])) for ticket in tickets]
