"""Messages that move from one ticket to another, with the rows that belong to them.

References, deliveries, files and received events follow their message, so an answer, a receipt or a download finds the
ticket in which the message is now. Commands join the caller's transaction, which holds both tickets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import peewee

from models.attachments.tables import Attachment
from models.conversations.tables import Conversation, Message, MessageMove, MessageReference
from models.deliveries.tables import Delivery
from models.inbox.tables import InboxEvent
from models.kernel.storage import database
from models.kernel.storage.table import for_update
from models.regrouping import limits
from models.tickets.ticket_change import TicketChange


def lock_chats(moving: Any) -> None:
    """Lock the chats that an act moves. An inbound message locks its chat before its ticket, so the act does too."""
    database.rows(for_update(Conversation.select(Conversation.id).where(moving).order_by(Conversation.id)))


def lock_deliveries(moving: Any) -> None:
    """Lock the deliveries that an act moves. A send and a receipt lock theirs before the ticket, so the act does too.

    Both read the ticket of the delivery under this lock.
    """
    database.rows(for_update(Delivery.select(Delivery.id).where(moving).order_by(Delivery.id)))


def ids_of(ticket_id: UUID) -> list[UUID]:
    """Return the ids of a ticket's messages in their order."""
    query = Message.select(Message.id).where(Message.ticket_id == ticket_id)
    return [row["id"] for row in database.rows(query.order_by(Message.sequence))]


def move(source: TicketChange, target: TicketChange, message_ids: Sequence[UUID]) -> None:
    """Move messages of the source to the target, and number the messages of both tickets again in time order."""
    source_id, target_id = source.ticket.id, target.ticket.id
    staying = [one for one in _in_order(source_id) if one[1] not in set(message_ids)]
    merged = sorted([*_in_order(target_id), *(one for one in _in_order(source_id) if one[1] in set(message_ids))])
    for ids in _parts(message_ids):
        rows = [{"message_id": one, "ticket_id": source_id, "moved_at": target.at} for one in ids]
        MessageMove.insert_many(rows).on_conflict_ignore().execute()
        written_in = peewee.fn.COALESCE(Message.moved_from, Message.ticket_id)
        # Negative numbers, because a sequence is unique in its ticket at each moment.
        changes = {
            Message.ticket_id: target_id,
            Message.moved_from: peewee.fn.NULLIF(written_in, _id(target_id)),
            Message.sequence: -2 * limits.sequence_gap - Message.sequence,
        }
        Message.update(changes).where(Message.id.in_(ids)).execute()
        _follow(MessageReference, MessageReference.message_id, ids, target_id)
        _follow(Delivery, Delivery.message_id, ids, target_id)
        _follow(Attachment, Attachment.message_id, ids, target_id)
        _follow(InboxEvent, InboxEvent.message_id, ids, target_id)
    for change, ordered in ((source, staying), (target, merged)):
        _number(change.ticket.id, [one[1] for one in ordered])
        change.ticket.message_count = len(ordered)
        change.ticket.last_message_at = max((one[0][0] for one in ordered), default=None)


def _in_order(ticket_id: UUID) -> list[tuple[tuple[Any, int], UUID]]:
    """Return the messages of a ticket, each with a key by which the messages of two tickets are sorted.

    The order within a ticket stays as it is, also where the instants are not in this order. So the key has the latest
    instant up to the message.
    """
    query = Message.select(Message.id, Message.created_at, Message.sequence).where(Message.ticket_id == ticket_id)
    found: list[tuple[tuple[Any, int], UUID]] = []
    latest = None
    for row in database.rows(query.order_by(Message.sequence)):
        latest = row["created_at"] if latest is None else max(latest, row["created_at"])
        found.append(((latest, row["sequence"]), row["id"]))
    return found


def _number(ticket_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Number the messages of a ticket from 1 in this order."""
    wanted = {message_id: sequence for sequence, message_id in enumerate(message_ids, start=1)}
    query = Message.select(Message.id, Message.sequence).where(Message.ticket_id == ticket_id)
    wrong = [row["id"] for row in database.rows(query) if wanted[row["id"]] != row["sequence"]]
    for ids in _parts(wrong):
        away = -limits.sequence_gap - Message.sequence
        Message.update({Message.sequence: away}).where(Message.id.in_(ids), Message.sequence > 0).execute()
    for ids in _parts(wrong):
        numbers = peewee.Case(Message.id, [(_id(one), wanted[one]) for one in ids])
        Message.update({Message.sequence: numbers}).where(Message.id.in_(ids)).execute()


def _follow(table: Any, column: Any, message_ids: Sequence[UUID], ticket_id: UUID) -> None:
    table.update({table.ticket_id: ticket_id}).where(column.in_(message_ids)).execute()


def _id(value: UUID) -> Any:
    """Return a bound id with the type of the column: a bare parameter is a text for PostgreSQL."""
    return peewee.Cast(str(value), "uuid") if database.is_postgres() else peewee.Value(str(value))


def _parts(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), limits.rows_at_once):
        yield list(ids[start : start + limits.rows_at_once])
