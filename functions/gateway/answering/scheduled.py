"""/v1/scheduled_messages: the queue of the messages that wait for their time."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.http.operations import Answer, Call, Operations
from functions.views import message_views as views
from functions.views import pages
from functions.views.representations import copied
from functions.views.texts import Instant
from models.conversations import queries as conversations
from models.deliveries import scheduled
from models.identity.rules import Permission
from models.kernel.errors import NotFound

operations = Operations()


class ScheduledAuthor(msgspec.Struct):
    """The author of a scheduled message."""

    kind: str
    id: UUID | None
    name: str


class ScheduledMessage(msgspec.Struct):
    """A message that is sent at `send_at`. `excerpt` is the beginning of its text."""

    message_id: UUID
    delivery_id: UUID
    ticket_id: UUID
    ticket_number: int
    ticket_title: str
    author: ScheduledAuthor
    channel: str
    address: str
    send_at: datetime
    excerpt: str


class ScheduledPage(msgspec.Struct):
    """A page of scheduled messages."""

    items: list[ScheduledMessage]
    next_cursor: str | None


class ScheduledQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of scheduled messages. `me` lists the messages of the caller, `all` those of everybody."""

    author: Literal["me", "all"] = "me"


class NewTime(msgspec.Struct, forbid_unknown_fields=True):
    """The new time of a message; null, or a time that has passed, sends it now."""

    send_at: Instant | None


@operations.add(
    "GET",
    "/v1/scheduled_messages",
    summary="List scheduled messages",
    needs=Permission.tickets_read,
    query=ScheduledQuery,
    answers={200: ScheduledPage},
)
def list_scheduled(call: Call[None, ScheduledQuery]) -> Answer:
    """The next one first. Only messages of tickets that the caller sees.

    Update the text with PATCH and cancel with DELETE of the message.
    """
    after = pages.decode(call.query.cursor, "scheduled", pages.instant, UUID)
    rows = scheduled.page(
        author_id=call.caller.id if call.query.author == "me" else None,
        after=(after[0], after[1]) if after else None,
        limit=call.query.limit + 1,
        only=sight_of(call).tickets(),
    )
    page, cursor = pages.cut(rows, call.query.limit, "scheduled", lambda row: (row["send_at"], row["delivery_id"]))
    return Answer(ScheduledPage([_shown(row) for row in page], cursor))


def _shown(row: scheduled.ScheduledRow) -> ScheduledMessage:
    author = ScheduledAuthor(row["author_kind"], row["author_id"], row["author_name"])
    shown: ScheduledMessage = copied(ScheduledMessage, {**row, "author": author})
    return shown


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/messages/{message}/send_at",
    summary="Move a scheduled message",
    needs=Permission.tickets_write,
    body=NewTime,
    answers={200: views.Message},
    problems=(404, 409),
)
def move_scheduled(call: Call[NewTime]) -> Answer:
    """Gives a message that waits another time, or sends it now. Messages of others need `messages_manage`."""
    ticket = ticket_of(call)
    message_id = pages.id_of(call.params["message"], "message")
    if conversations.get(message_id)["ticket_id"] != ticket.id:
        raise NotFound(f"there is no message {message_id} in this ticket")
    views.check_send_at(call.body.send_at)
    of_others = Permission.messages_manage in call.caller.permissions
    scheduled.move(message_id, call.body.send_at, actor=call.caller.actor, of_others=of_others)
    return Answer(views.messages([conversations.get(message_id)])[0])
