"""Queries over messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import peewee

from models.conversations.row_types import MessageRow, WholeHtmlRow
from models.conversations.tables import Message, MessageWholeHtml
from models.events.tables import EventRow
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.workflow.instance import MessageView, condition_text_chars_max, seen_message


def page(ticket_id: UUID, *, after_sequence: int, limit: int) -> list[MessageRow]:
    """Return a ticket's messages in order, after a sequence number."""
    query = (
        Message.select()
        .where((Message.ticket_id == ticket_id) & (Message.sequence > after_sequence))
        .order_by(Message.sequence)
        .limit(limit)
    )
    return database.rows_as(MessageRow, query)


def latest(ticket_id: UUID, *, before_sequence: int | None, limit: int) -> list[MessageRow]:
    """Return a ticket's last messages in order, of those before a sequence number."""
    wanted = Message.ticket_id == ticket_id
    if before_sequence is not None:
        wanted &= Message.sequence < before_sequence
    query = Message.select().where(wanted).order_by(Message.sequence.desc()).limit(limit)
    return database.rows_as(MessageRow, query)[::-1]


def get(message_id: UUID) -> MessageRow:
    """Return one message. Raises NotFound."""
    for row in database.rows_as(MessageRow, Message.select().where(Message.id == message_id)):
        return row
    raise NotFound(f"there is no message {message_id}")


def whole_html(message_id: UUID) -> WholeHtmlRow | None:
    """Return the HTML of a mail without any cut; None if nothing was cut from it."""
    query = MessageWholeHtml.select().where(MessageWholeHtml.message_id == message_id)
    return next(iter(database.rows_as(WholeHtmlRow, query)), None)


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier version of a message: its text, the ids of the files that its edit replaced, and the end of its
    time.
    """

    body: str
    replaced_at: datetime
    replaced_attachments: Sequence[UUID]


def versions(ticket_id: UUID) -> dict[UUID, list[Version]]:
    """Return the earlier versions of a ticket's edited messages, oldest first.

    They are in the ticket's history, and in that of each ticket in which a message was before.
    """
    found: dict[UUID, list[Version]] = {}
    for row in database.run(
        "SELECT e.occurred_at, e.payload FROM events AS e WHERE e.aggregate = 'ticket'"
        " AND (e.aggregate_id = :id OR e.aggregate_id IN (SELECT v.ticket_id FROM message_moves AS v"
        " JOIN messages AS m ON m.id = v.message_id WHERE m.ticket_id = :id))"
        " AND e.event_type = 'message_edited' ORDER BY e.occurred_at, e.aggregate_id, e.sequence",
        id=ticket_id,
    ):
        event = EventRow.converted(row)
        payload = event["payload"]
        files = [UUID(one) for one in payload.get("replaced_attachments", ())]
        version = Version(payload["previous_body"], event["occurred_at"], files)
        found.setdefault(UUID(payload["message_id"]), []).append(version)
    return found


def texts_of(ticket_ids: Collection[UUID]) -> dict[str, str]:
    """Return the beginnings of the tickets' messages by message id, as conditions see them."""
    beginning = peewee.fn.SUBSTR(Message.body, 1, condition_text_chars_max).alias("text")
    query = Message.select(Message.id, beginning).where(Message.ticket_id.in_(list(ticket_ids)))
    return {str(row["id"]): row["text"] for row in database.rows(query)}


def view(message_id: UUID) -> tuple[UUID, MessageView]:
    """Return the ticket of a message, and the facts about the message that conditions may use. Raises NotFound."""
    row = database.one(
        Prepared(
            "SELECT ticket_id, automatic, by_machine, author_kind, channel, body, attachments FROM messages"
            " WHERE id = :id"
        ),
        id=message_id,
    )
    if row is None:
        raise NotFound(f"there is no message {message_id}")
    message = Message.converted(row)
    seen = seen_message(
        row["author_kind"],
        row["channel"],
        row["body"],
        automatic=row["automatic"] or "",
        by_machine=bool(row["by_machine"]),
        attachments=len(message["attachments"]),
    )
    return message["ticket_id"], seen
