"""Acts of people in the explanation of a ticket, beside the decisions of its life cycle."""

from __future__ import annotations

from models.kernel.ids import new_id
from models.tickets.ticket_change import TicketChange


def explain(change: TicketChange, event: str, reason: str) -> None:
    """Add an act to the ticket's explanation. Call it after the events of the act are recorded.

    `reason` holds no words of a person.
    """
    ticket = change.ticket
    change.batch.insert(
        "decisions",
        {
            "id": new_id(),
            "ticket_id": ticket.id,
            "event": event,
            "workflow": ticket.workflow,
            "workflow_version": ticket.workflow_version,
            "state": ticket.state,
            "at": change.at,
            "causation_id": change.causation_id,
            "first_sequence": ticket.event_sequence,
            "last_sequence": ticket.event_sequence,
            "looks": [{"event": event, "rule": event, "outcome": "acted", "reasons": [reason]}],
        },
    )
