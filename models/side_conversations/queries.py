"""Queries of side conversations."""

from __future__ import annotations

from uuid import UUID

from models.conversations.row_types import MessageRow
from models.conversations.tables import Message
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.side_conversations.tables import SideConversation, SideMessage


def of_ticket(ticket_id: UUID) -> list[database.Row]:
    """Return the side conversations of a ticket, oldest first."""
    query = SideConversation.select().join(Message, on=Message.id == SideConversation.first_message_id)
    return database.rows(query.where(Message.ticket_id == ticket_id).order_by(SideConversation.id))


def get(ticket_id: UUID, side_id: UUID) -> database.Row:
    """Return a side conversation of a ticket. Raises NotFound."""
    query = SideConversation.select().join(Message, on=Message.id == SideConversation.first_message_id)
    row = first(query.where(SideConversation.id == side_id, Message.ticket_id == ticket_id))
    if row is None:
        raise NotFound(f"there is no side conversation {side_id} in this ticket")
    return row


def page(side_id: UUID, ticket_id: UUID, *, after_sequence: int, limit: int) -> list[MessageRow]:
    """Return the messages of a side conversation that are in the ticket, in order, after a sequence number.

    A split can leave some of the messages in the other ticket, which may have other readers.
    """
    query = (
        Message.select()
        .join(SideMessage, on=SideMessage.message_id == Message.id)
        .where(SideMessage.side_id == side_id, Message.ticket_id == ticket_id, Message.sequence > after_sequence)
    )
    return database.rows_as(MessageRow, query.order_by(Message.sequence).limit(limit))
