"""Notices to users: a workflow writes to agents, the desk itself to admins. Each user has a list of their own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import peewee

from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.ticket_workflow.row_types import NoticeRow
from models.ticket_workflow.tables import Notice
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.sight import Sight


def add_for_users(user_ids: Sequence[UUID], *, rule: str, text: str) -> None:
    """Give each of the users a notice that belongs to no ticket. Joins the caller's transaction."""
    now = clock.now()
    batch = Batch()
    for user_id in user_ids:
        batch.insert(
            "notices",
            {"id": new_id(), "user_id": user_id, "ticket_id": None, "rule": rule, "text": text, "created_at": now},
        )
    batch.write()


def of_user(user_id: UUID, *, unread: bool, before: UUID | None, limit: int, sight: Sight) -> list[NoticeRow]:
    """List a user's notices before the id `before`, newest first, without those of tickets that are not visible."""
    query = (
        Notice.select(
            Notice.id,
            Notice.ticket_id,
            Ticket.number.alias("ticket_number"),
            Notice.rule,
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


def add(change: TicketChange, user_id: UUID, *, rule: str, text: str) -> None:
    """Write a notice about the ticket of a change to a user."""
    change.batch.insert(
        "notices",
        {
            "id": new_id(),
            "user_id": user_id,
            "ticket_id": change.ticket.id,
            "rule": rule,
            "text": text,
            "created_at": change.at,
        },
    )


def mark_read(notice_id: UUID, *, user_id: UUID, sight: Sight) -> None:
    """Mark a notice as read; the first reading counts. Joins the caller's transaction.

    Raises NotFound, also for another's notice and for one of a ticket that is not visible.
    """
    read_at = peewee.fn.COALESCE(Notice.read_at, clock.now())
    own = (Notice.id == notice_id) & (Notice.user_id == user_id) & sight.about(Notice.ticket_id)
    if not Notice.update(read_at=read_at).where(own).execute():
        raise NotFound(f"there is no notice {notice_id}")
