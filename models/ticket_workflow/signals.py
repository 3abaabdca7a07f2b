"""Signals: an automation reports to a ticket's workflow that something happened outside the desk.

The `advance_ticket` actor lets the workflow react, as for a message or a timer. So the automation learns only that the
signal is stored; the ticket's history shows its effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.events.commands import Actor
from models.events.workflow_payloads import SignalReceived
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage.batch import as_json
from models.tasks.payloads import AdvanceTicket
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.tickets.ticket_change import TicketChange


def receive(ticket_id: UUID, name: str, payload: Mapping[str, Any], *, actor: Actor) -> UUID:
    """Record the signal in the ticket's history and let the life cycle react soon; returns the event's id.

    Joins the caller's transaction. Raises NotFound, or Invalid for a payload of more than
    limits.signal_payload_bytes_max.
    """
    size_bytes = len(as_json(payload).encode())
    if size_bytes > limits.signal_payload_bytes_max:
        most = limits.signal_payload_bytes_max
        raise Invalid([FieldProblem("/payload", f"expected at most {most} bytes, found {size_bytes}")])
    change = TicketChange.of(ticket_id, actor=actor)
    event_id = change.record(SignalReceived(signal=name, payload=dict(payload)))
    change.enqueue(
        AdvanceTicket(ticket_id=ticket_id, event="signal", signal=name, event_id=event_id),
        key=ticket_key(ticket_id),
    )
    change.save(visible=False)
    return event_id
