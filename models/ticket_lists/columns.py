"""Columns of a list that are not in a ticket's row, read for a whole page by one statement each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, TypedDict
from uuid import UUID

import peewee

from models.conversations.tables import Message
from models.deliveries.tables import Delivery
from models.kernel.storage import database
from models.tickets.tables import Ticket

excerpt_chars_max: Final = 140  # two lines of a list
_READ_CHARS: Final = 400  # of the body; white space collapses


class LastMessageRow(TypedDict):
    """The last message of a ticket, with the beginning of its text."""

    ticket_id: UUID
    direction: str
    kind: str
    author_name: str
    body: str
    created_at: datetime
    deleted_at: datetime | None


class FailedSendRow(TypedDict):
    """A message of a ticket that was not delivered: the channel, and the provider's reason."""

    ticket_id: UUID
    channel: str
    last_error: str | None


def failed_sends(ticket_ids: Collection[UUID]) -> dict[UUID, FailedSendRow]:
    """Return the newest failed delivery of each ticket that has one."""
    if not ticket_ids:
        return {}
    # The state is a literal, because SQLite uses a partial index only for a condition without parameters.
    query = (
        Delivery.select(Delivery.ticket_id, Delivery.channel, Delivery.last_error)
        .where(Delivery.state == peewee.SQL("'failed'"), Delivery.ticket_id.in_(list(ticket_ids)))
        .order_by(Delivery.created_at, Delivery.id)
    )
    return {row["ticket_id"]: row for row in database.rows_as(FailedSendRow, query)}


def last_messages(ticket_ids: Collection[UUID]) -> dict[UUID, LastMessageRow]:
    """Return the last message of each ticket. The text of a deleted one is empty."""
    if not ticket_ids:
        return {}
    newest = (Message.ticket_id == Ticket.id) & (Message.sequence == Ticket.message_count)
    query = (
        Message.select(
            Message.ticket_id,
            Message.direction,
            Message.kind,
            Message.author_name,
            peewee.fn.SUBSTR(Message.body, 1, _READ_CHARS).alias("body"),
            Message.created_at,
            Message.deleted_at,
        )
        .join(Ticket, on=newest)
        .where(Ticket.id.in_(list(ticket_ids)))
    )
    return {row["ticket_id"]: _excerpted(row) for row in database.rows_as(LastMessageRow, query)}


def _excerpted(row: LastMessageRow) -> LastMessageRow:
    text = "" if row["deleted_at"] is not None else " ".join(row["body"].split())
    row["body"] = text if len(text) <= excerpt_chars_max else f"{text[: excerpt_chars_max - 1].rstrip()}…"
    return row
