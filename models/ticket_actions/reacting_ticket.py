"""The ticket that reacts to the payload of a task `advance_ticket`, while merges and splits move messages.

The ticket of the payload is locked first. A message that is in it then cannot leave before the reaction commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from models.conversations import holding
from models.conversations import queries as conversations
from models.events.commands import Actor
from models.events.tables import EventRow
from models.kernel.storage import database
from models.tasks.payloads import AdvanceTicket
from models.tickets import merged
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import MessageView


def hold(payload: AdvanceTicket, *, causation_id: str) -> tuple[TicketChange, MessageView | None] | None:
    """Lock the ticket that reacts, and return it with the message; None if no ticket reacts any more.

    A merged ticket forwards to its target. A message that an undo took back to its own ticket is read by that ticket.
    A message that a split moved was read by the new ticket when it opened. Raises NotFound, and Contention when the
    message moves meanwhile.
    """
    actor = Actor("system", f"workflow:{payload.event}", "Nestor")
    change = TicketChange.of(payload.ticket_id, actor=actor, causation_id=causation_id)
    if payload.message_id is None:
        return change, None
    ticket_id, message = conversations.view(payload.message_id)
    if ticket_id == change.ticket.id:
        return change, message
    if _was_split_off(payload.message_id, merged.path(payload.ticket_id)):
        return None
    return holding.change_of(payload.message_id, actor=actor, causation_id=causation_id), message


def _was_split_off(message_id: UUID, ticket_ids: Sequence[UUID]) -> bool:
    """Return True if a split of one of these tickets moved the message to a new ticket."""
    splits = EventRow.select(EventRow.payload).where(
        EventRow.aggregate == "ticket",
        EventRow.aggregate_id.in_(list(ticket_ids)),
        EventRow.event_type == "ticket_split",
    )
    return any(str(message_id) in row["payload"]["message_ids"] for row in database.rows(splits))
