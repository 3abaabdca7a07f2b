"""/v1/me/notices: the list of a user's notices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.identity.rules import Permission
from models.notice_settings.rules import Kind
from models.notices import commands as notices

operations = Operations()


class Notice(msgspec.Struct):
    """A notice to a user, about a ticket or, without a ticket, from the desk itself.

    `rule` is the rule of the life cycle that wrote it, or the desk's own reason.
    """

    id: UUID
    ticket_id: UUID | None
    ticket_number: int | None
    kind: Kind
    rule: str
    text: str
    created_at: datetime
    read_at: datetime | None


class NoticePage(msgspec.Struct):
    """A page of notices."""

    items: list[Notice]
    next_cursor: str | None


class NoticeQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of notices."""

    unread: bool = False


@operations.add(
    "GET",
    "/v1/me/notices",
    summary="List the caller's notices",
    needs=Permission.tickets_read,
    query=NoticeQuery,
    answers={200: NoticePage},
)
def list_notices(call: Call[None, NoticeQuery]) -> Answer:
    """Newest first."""
    query = call.query
    before = pages.decode(query.cursor, "notices", UUID)
    rows = notices.of_user(
        call.caller.id,
        unread=query.unread,
        before=before[0] if before else None,
        limit=query.limit + 1,
        sight=sight_of(call),
    )
    page, cursor = pages.cut(rows, query.limit, "notices", lambda row: (row["id"],))
    return Answer(NoticePage(msgspec.convert(page, list[Notice]), cursor))


@operations.add(
    "PUT",
    "/v1/me/notices/{notice}/read",
    summary="Mark a notice as read",
    needs=Permission.tickets_read,
    answers={204: None},
    problems=(404,),
)
def read_notice(call: Call) -> Answer:
    """Idempotent: repeating the request changes nothing."""
    notices.mark_read(pages.id_of(call.params["notice"], "notice"), user_id=call.caller.id, sight=sight_of(call))
    return Answer(status=204)
