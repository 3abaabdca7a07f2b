"""Write notices, and each user's list of them. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import peewee

from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.notice_settings.rules import Kind
from models.notices.row_types import NoticeRow
from models.notices.tables import Notice
from models.tasks import commands as tasks
from models.tasks.payloads import PlanNotice
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.sight import Sight


def add_for_users(user_ids: Sequence[UUID], *, rule: str, text: str) -> None:
    """Give each of the users a notice of the desk itself, which belongs to no ticket."""
    batch, now = Batch(), clock.now()
    for user_id in user_ids:
        notice_id = new_id()
        batch.insert("notices", _row(notice_id, user_id, None, now, kind=Kind.desk, rule=rule, text=text))
        tasks.add(batch, tasks.row(PlanNotice(notice_id=notice_id)))
    tasks.write(batch)


def add(
    change: TicketChange,
    user_id: UUID,
    *,
    rule: str,
    text: str,
    kind: Kind = Kind.life_cycle,
    event_id: UUID | None = None,
    message_id: UUID | None = None,
) -> None:
    """Write a notice about the ticket of a change to a user.

    `event_id`: the event that the notice reports. A user who has a notice of this event gets no second one.
    """
    if event_id is not None:
        _add_about(event_id, user_id, change.ticket.id, change.at, kind=kind, rule=rule, text=text)
        return
    notice_id = new_id()
    row = _row(notice_id, user_id, change.ticket.id, change.at, kind=kind, rule=rule, text=text)
    change.batch.insert("notices", row | {"message_id": message_id})
    change.enqueue(PlanNotice(notice_id=notice_id), key=None)


def _add_about(
    event_id: UUID,
    user_id: UUID,
    ticket_id: UUID,
    at: datetime,
    *,
    kind: Kind,
    rule: str,
    text: str,
    message_id: UUID | None = None,
) -> None:
    notice_id = new_id()
    row = _row(notice_id, user_id, ticket_id, at, kind=kind, rule=rule, text=text)
    made = database.execute(
        "INSERT INTO notices (id, user_id, ticket_id, kind, rule, text, created_at, event_id, message_id)"
        " VALUES (:id, :user_id, :ticket_id, :kind, :rule, :text, :created_at, :event_id, :message_id)"
        " ON CONFLICT (user_id, event_id) DO NOTHING",
        row,
        event_id=event_id,
        message_id=message_id,
    )
    if made.rowcount:
        tasks.enqueue(PlanNotice(notice_id=notice_id))


def users_told_of(message_id: UUID) -> list[UUID]:
    """Return the users who have a notice about a message."""
    return [
        row["user_id"] for row in database.rows(Notice.select(Notice.user_id).where(Notice.message_id == message_id))
    ]


def report_event(
    event_id: UUID,
    user_id: UUID,
    ticket_id: UUID,
    *,
    kind: Kind,
    text: str,
    message_id: UUID | None = None,
) -> None:
    """Give a user a notice of an event of a ticket. A repetition changes nothing."""
    _add_about(event_id, user_id, ticket_id, clock.now(), kind=kind, rule=str(kind), text=text, message_id=message_id)


def _row(
    notice_id: UUID, user_id: UUID, ticket_id: UUID | None, at: datetime, *, kind: Kind, rule: str, text: str
) -> database.Row:
    return {
        "id": notice_id,
        "user_id": user_id,
        "ticket_id": ticket_id,
        "kind": str(kind),
        "rule": rule,
        "text": text,
        "created_at": at,
    }


def of_user(user_id: UUID, *, unread: bool, before: UUID | None, limit: int, sight: Sight) -> list[NoticeRow]:
    """List a user's notices before the id `before`, newest first, without those of tickets that are not visible."""
    query = (
        Notice.select(
            Notice.id,
            Notice.ticket_id,
            Ticket.number.alias("ticket_number"),
            Notice.rule,
            Notice.kind,
            Notice.text,
            Notice.created_at,
            Notice.read_at,
        )
        .join(Ticket, peewee.JOIN.LEFT_OUTER, on=Ticket.id == Notice.ticket_id)
        .where(Notice.user_id == user_id, sight.about(Notice.ticket_id))
    )
    if unread:
        query = query.where(Notice.read_at.is_null())
    if before is not None:
        query = query.where(Notice.id < before)
    return database.rows_as(NoticeRow, query.order_by(Notice.id.desc()).limit(limit))


def mark_read(notice_id: UUID, *, user_id: UUID, sight: Sight) -> None:
    """Mark a notice as read; the first reading counts.

    Raises NotFound, also for another's notice and for one of a ticket that is not visible.
    """
    read_at = peewee.fn.COALESCE(Notice.read_at, clock.now())
    own = (Notice.id == notice_id) & (Notice.user_id == user_id) & sight.about(Notice.ticket_id)
    if not Notice.update(read_at=read_at).where(own).execute():
        raise NotFound(f"there is no notice {notice_id}")
