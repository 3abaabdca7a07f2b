"""An automation of a ticket's life cycle was given up: people must see it where they look, in the ticket's history."""

from __future__ import annotations

from uuid import UUID

from models.events.commands import SYSTEM
from models.events.workflow_payloads import AutomationFailed
from models.tickets.ticket_change import TicketChange


def record_automation_failure(ticket_id: UUID, *, event: str, task_id: int, reason: str) -> None:
    """Append `automation_failed` to the ticket's history. Joins the caller's transaction. Raises NotFound."""
    change = TicketChange.of(ticket_id, actor=SYSTEM, causation_id=f"task:{task_id}")
    change.record(AutomationFailed(event=event, task_id=task_id, reason=reason))
    change.save(visible=False)
