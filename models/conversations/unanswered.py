"""The requester who waits for an answer: `tickets.unanswered_since`.

The column is set with each public message, so a list of waiting requesters reads one small index instead of all
messages. Messages by machines (acknowledgements, automatic replies) neither wait nor answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.conversations.tables import Message
from models.kernel.storage import database
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange


def note(ticket: Ticket, message: Mapping[str, Any], *, at: datetime) -> None:
    """Let a new message begin or end the requester's wait. A further message does not restart the wait."""
    if message["kind"] == "reply" and not message.get("by_machine"):
        ticket.unanswered_since = _after(ticket.unanswered_since, message, at)


def recompute(change: TicketChange) -> None:
    """Set the column from the ticket's messages, after some were deleted or moved."""
    public = (Message.ticket_id == change.ticket.id) & (Message.kind == "reply") & ~Message.by_machine
    columns = (Message.direction, Message.created_at, Message.details)
    spoken = Message.select(*columns).where(public, Message.deleted_at.is_null())
    since = None
    for row in database.rows(spoken.order_by(Message.sequence)):
        since = _after(since, row, row["created_at"])
    change.ticket.unanswered_since = since


def _after(since: datetime | None, message: Mapping[str, Any], at: datetime) -> datetime | None:
    """The beginning of the wait after a public message by a person. A mail to somebody else answers nobody."""
    if message["direction"] == "inbound":
        return since or at
    to = (message.get("details") or {}).get("to")
    return since if to is not None and not to["reaches_requester"] else None
