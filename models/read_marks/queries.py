"""Queries for the unread tickets of one user."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

import peewee

from models.conversations.tables import Message
from models.kernel import clock
from models.kernel.storage import database
from models.read_marks import limits
from models.read_marks.tables import ReadMark
from models.tickets.tables import Ticket


def of_customers() -> tuple[Any, ...]:
    """The conditions of messages that make a ticket unread: a person on the customer's side wrote them."""
    return (
        Message.direction == "inbound",
        Message.author_kind == "requester",
        ~Message.by_machine,
        Message.deleted_at.is_null(),
    )


def is_unread(user_id: UUID) -> Any:
    """The condition over Ticket that a ticket is unread for a user."""
    since = clock.now() - timedelta(seconds=limits.unread_s)
    mark = (ReadMark.ticket_id == Ticket.id) & (ReadMark.user_id == user_id)
    marked = ReadMark.select(peewee.SQL("1")).where(mark, ReadMark.is_unread)
    read = ReadMark.select(peewee.SQL("1")).where(mark, ReadMark.read_until >= Message.created_at)
    news = Message.select(peewee.SQL("1")).where(
        Message.ticket_id == Ticket.id, Message.created_at > since, *of_customers(), ~peewee.fn.EXISTS(read)
    )
    # The first comparison spares most tickets the look at their messages.
    return ((Ticket.last_message_at > since) & peewee.fn.EXISTS(news)) | peewee.fn.EXISTS(marked)


def unread_among(ticket_ids: Collection[UUID], user_id: UUID) -> set[UUID]:
    """Return the ids of the tickets that are unread for a user, in one statement."""
    if not ticket_ids:
        return set()
    rows = database.rows(Ticket.select(Ticket.id).where(Ticket.id.in_(list(ticket_ids)), is_unread(user_id)))
    return {row["id"] for row in rows}
