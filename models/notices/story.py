"""The notices about a ticket, for people who explain its story."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from models.identity import queries as identity
from models.kernel.storage import database
from models.notices.tables import Notice, NoticeDelivery


def of_ticket(ticket_id: UUID, *, limit: int) -> list[database.Row]:
    """Return the notices about a ticket, oldest first, each with its user's name and its deliveries as `ways`."""
    notices = database.rows(Notice.select().where(Notice.ticket_id == ticket_id).order_by(Notice.id).limit(limit))
    ways: dict[UUID, list[database.Row]] = defaultdict(list)
    deliveries = NoticeDelivery.select().where(NoticeDelivery.notice_id.in_([one["id"] for one in notices]))
    for row in database.rows(deliveries.order_by(NoticeDelivery.way)):
        ways[row["notice_id"]].append(row)
    names = identity.names_of({one["user_id"] for one in notices})
    return [{**one, "user_name": names.get(one["user_id"], "?"), "ways": ways[one["id"]]} for one in notices]
