"""Mark tickets read and unread. Commands join the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.conversations.tables import Message
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.read_marks import queries
from models.read_marks.tables import ReadMark


def mark_read(ticket_id: UUID, user_id: UUID, *, seen_message: UUID | None = None) -> None:
    """Mark the messages up to `seen_message` read, or all of them. A mark never moves back. Raises Invalid for a
    message that is not the ticket's.

    A message that arrives while the user reads is later than `seen_message`, so it stays unread.
    """
    until = _time_of_last(ticket_id) if seen_message is None else _time_of(ticket_id, seen_message)
    _store(ticket_id, user_id, until, is_unread=False)


def mark_unread(ticket_id: UUID, user_id: UUID) -> None:
    """Mark a ticket unread, until the user reads it again."""
    _store(ticket_id, user_id, None, is_unread=True)


def _time_of_last(ticket_id: UUID) -> datetime | None:
    query = Message.select(Message.created_at).where(Message.ticket_id == ticket_id, *queries.of_customers())
    row = first(query.order_by(Message.created_at.desc()).limit(1))
    return None if row is None else row["created_at"]


def _time_of(ticket_id: UUID, message_id: UUID) -> datetime:
    row = first(Message.select(Message.created_at).where(Message.id == message_id, Message.ticket_id == ticket_id))
    if row is None:
        raise Invalid([FieldProblem("/seen_message", "expected the id of a message of this ticket")])
    seen: datetime = row["created_at"]
    return seen


def _store(ticket_id: UUID, user_id: UUID, until: datetime | None, *, is_unread: bool) -> None:
    """Insert the mark or move it forward, in one statement: two consoles of one user may mark at once."""
    database.execute(
        "INSERT INTO read_marks (ticket_id, user_id, read_until, is_unread, marked_at)"
        " VALUES (:ticket, :user, :until, :unread, :at) ON CONFLICT (ticket_id, user_id) DO UPDATE SET"
        " read_until = CASE WHEN read_marks.read_until IS NULL OR excluded.read_until > read_marks.read_until"
        " THEN excluded.read_until ELSE read_marks.read_until END,"
        " is_unread = excluded.is_unread, marked_at = excluded.marked_at",
        ticket=ticket_id,
        user=user_id,
        until=until,
        unread=is_unread,
        at=clock.now(),
    )


def forget_old(*, before: datetime, batch_max: int) -> int:
    """Delete marks that no recent message can be compared with; returns their number."""
    old = (
        ReadMark.select(ReadMark.ticket_id, ReadMark.user_id)
        .where(ReadMark.marked_at < before, ~ReadMark.is_unread)
        .limit(batch_max)
    )
    deleted = 0
    for row in database.rows(old):
        mine = (ReadMark.ticket_id == row["ticket_id"]) & (ReadMark.user_id == row["user_id"])
        deleted += ReadMark.delete().where(mine, ReadMark.marked_at < before).execute()
    return deleted
