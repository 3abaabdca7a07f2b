"""The queue of scheduled messages: list them, move one to another time, send one now.

An update or a deletion of a scheduled message is in `corrections`. Commands join the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

import peewee

from models.conversations import holding
from models.conversations import queries as conversations
from models.conversations.tables import Message
from models.deliveries import commands, corrections
from models.deliveries.corrections import NotYourMessage
from models.deliveries.tables import Delivery
from models.events.answering_payloads import MessageRescheduled
from models.events.commands import Actor
from models.kernel import clock
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tickets.tables import Ticket

excerpt_chars = 200  # enough to recognise a text in a list


class NotScheduled(Conflict):
    """The message does not wait for a time: it was sent, deleted, or never scheduled."""

    code = "not_scheduled"


class ScheduledRow(TypedDict):
    """A delivery that waits for its time, with its message and its ticket."""

    delivery_id: UUID
    message_id: UUID
    ticket_id: UUID
    ticket_number: int
    ticket_title: str
    channel: str
    address: str
    send_at: datetime
    author_kind: str
    author_id: UUID | None
    author_name: str
    excerpt: str


def page(
    *, author_id: UUID | None, after: tuple[datetime, UUID] | None, limit: int, only: Any = None
) -> list[ScheduledRow]:
    """Return scheduled messages in the order of their times, after a position (time, delivery).

    `author_id`: only what this user or API key wrote. `only`: a further condition over Ticket.
    """
    query = (
        Delivery.select(
            Delivery.id.alias("delivery_id"),
            Delivery.message_id,
            Delivery.ticket_id,
            Ticket.number.alias("ticket_number"),
            Ticket.title.alias("ticket_title"),
            Delivery.channel,
            Delivery.address,
            Delivery.send_at,
            Message.author_kind,
            Message.author_id,
            Message.author_name,
            peewee.fn.SUBSTR(Message.body, 1, excerpt_chars).alias("excerpt"),
        )
        .join(Message, on=(Message.id == Delivery.message_id))
        .join(Ticket, on=(Ticket.id == Delivery.ticket_id))
        .where(Delivery.state == "scheduled", Message.deleted_at.is_null())
    )
    if author_id is not None:
        query = query.where(Message.author_id == author_id)
    if only is not None:
        query = query.where(only)
    if after is not None:
        at, delivery_id = after
        query = query.where((Delivery.send_at > at) | ((Delivery.send_at == at) & (Delivery.id > delivery_id)))
    return database.rows_as(ScheduledRow, query.order_by(Delivery.send_at, Delivery.id).limit(limit))


def move(message_id: UUID, send_at: datetime | None, *, actor: Actor, of_others: bool) -> None:
    """Give a scheduled message another time; None, or a time that has passed, sends it now.

    `of_others`: the actor may move what others wrote. Raises NotFound, NotScheduled, NotYourMessage.
    """
    row = conversations.get(message_id)
    if not of_others and not corrections.is_own(row, actor):
        raise NotYourMessage()
    waiting = database.run(
        "SELECT id FROM deliveries WHERE message_id = :id AND state = 'scheduled' ORDER BY id FOR_UPDATE",
        id=message_id,
    )
    if not waiting or row["deleted_at"] is not None:
        raise NotScheduled()
    now = send_at is None or send_at <= clock.now()
    change = holding.change_of(message_id, actor=actor)
    change.record(MessageRescheduled(message_id=message_id, send_at=None if now else send_at))
    change.save(visible=False)
    for delivery in map(Delivery.converted, waiting):
        if send_at is None or now:
            commands.release(delivery["id"])
            continue
        Delivery.update(send_at=send_at).where(Delivery.id == delivery["id"]).execute()
        tasks.move(f"release:{delivery['id']}", send_at)
