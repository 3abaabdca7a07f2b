"""/v1/tickets/{ticket}/side_conversations: conversations with third parties about a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.sights import living_ticket_of, ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import message_views as views
from functions.views import pages
from functions.views.texts import Body, Email, Instant, Name
from models.conversations import queries as conversations
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.kernel.text import has_visible
from models.side_conversations import commands, queries
from models.side_conversations.commands import Words

operations = Operations()

_Chosen = Annotated[list[UUID], msgspec.Meta(max_length=commands.forwarded_max)]


class NewSideMessage(msgspec.Struct, forbid_unknown_fields=True):
    """A message to a third party.

    `messages` lists public messages of the ticket, whose texts follow the own text. `files` lists ids of files of the
    ticket's messages, `attachments` ids of uploads. `send_at` holds the message until then; until it is sent, it can
    be updated, moved and deleted like a scheduled reply.
    """

    body: Body
    messages: _Chosen = []
    files: _Chosen = []
    attachments: Annotated[list[UUID], msgspec.Meta(max_length=limits.attachments_per_message_max)] = []
    send_at: Instant | None = None


class NewSideConversation(NewSideMessage, forbid_unknown_fields=True, kw_only=True):
    """A side conversation and its first message. `to` is the mail address of the third party, who must not take part
    in the ticket. The default of `subject` is the ticket's title.
    """

    to: Email
    name: Name | None = None
    subject: Annotated[
        str, msgspec.Meta(max_length=limits.ticket_title_chars_max, pattern=r"^[^\r\n\x00]*(?![\s\S])")
    ] = ""


class SideConversation(msgspec.Struct):
    """A conversation with a third party about a ticket. `started_by` is the agent or API key that started it."""

    id: UUID
    ticket_id: UUID
    channel: str
    account: str
    address: str
    name: str
    subject: str
    started_by: views.Author
    created_at: datetime
    last_answer_at: datetime | None


class SideConversations(msgspec.Struct):
    """The side conversations of a ticket, oldest first."""

    items: list[SideConversation]


class StartedSideConversation(msgspec.Struct):
    """A side conversation and its first message."""

    side_conversation: SideConversation
    message: views.Message


def _shown(row: database.Row, ticket_id: UUID) -> SideConversation:
    return SideConversation(
        id=row["id"],
        ticket_id=ticket_id,
        channel=row["channel"],
        account=row["account"],
        address=row["address"],
        name=row["name"],
        subject=row["subject"],
        started_by=views.Author(row["started_kind"], row["started_id"], row["started_name"]),
        created_at=row["created_at"],
        last_answer_at=row["last_answer_at"],
    )


def _words(call: AnyCall, body: NewSideMessage) -> Words:
    if not has_visible(body.body):
        raise Invalid([FieldProblem("/body", "expected a text that is not blank")])
    views.check_send_at(body.send_at)
    return Words(body.body, body.messages, body.files, body.attachments, call.caller.key, body.send_at)


def _message(message_id: UUID) -> views.Message:
    return views.messages([conversations.get(message_id)])[0]


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/side_conversations",
    summary="Start a side conversation",
    needs=Permission.side_conversations_write,
    body=NewSideConversation,
    answers={201: StartedSideConversation},
    problems=(404, 409),
    body_bytes_max=limits.json_body_bytes_max,
)
def start_side_conversation(call: Call[NewSideConversation]) -> Answer:
    """Forwards messages and files of the ticket to a third party.

    The message is a note of the ticket, and the answers return as notes: the requester sees neither, and the life
    cycle does not react. The caller gets a notice of each answer.
    """
    body = call.body
    ticket = living_ticket_of(call)
    words = _words(call, body)
    side_id, message_id = commands.start(
        ticket.id, words, to=body.to, name=body.name or "", subject=body.subject, actor=call.caller.actor
    )
    shown = _shown(queries.get(ticket.id, side_id), ticket.id)
    return Answer(
        StartedSideConversation(shown, _message(message_id)),
        status=201,
        headers={"Location": f"/v1/tickets/{ticket.id}/side_conversations/{side_id}"},
    )


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/side_conversations",
    summary="List a ticket's side conversations",
    needs=Permission.tickets_read,
    answers={200: SideConversations},
    problems=(404,),
)
def list_side_conversations(call: Call) -> Answer:
    """Oldest first. Those of a merged ticket are in the ticket that it was merged into."""
    ticket = ticket_of(call)
    return Answer(SideConversations([_shown(row, ticket.id) for row in queries.of_ticket(ticket.id)]))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/side_conversations/{side_conversation}",
    summary="Get a side conversation",
    needs=Permission.tickets_read,
    answers={200: SideConversation},
    problems=(404,),
)
def read_side_conversation(call: Call) -> Answer:
    """Its messages have a list of their own."""
    ticket = ticket_of(call)
    return Answer(_shown(_row(call, ticket.id), ticket.id))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/side_conversations/{side_conversation}/messages",
    summary="List the messages of a side conversation",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: views.MessagePage},
    problems=(404,),
)
def list_side_messages(call: Call[None, pages.PageQuery]) -> Answer:
    """Oldest first. The author of an answer has the kind `third_party`."""
    ticket = ticket_of(call)
    side = _row(call, ticket.id)
    after = pages.decode(call.query.cursor, "side_messages", pages.number)
    rows = queries.page(side["id"], ticket.id, after_sequence=after[0] if after else 0, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "side_messages", lambda row: (row["sequence"],))
    return Answer(views.MessagePage(views.messages(page), cursor))


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/side_conversations/{side_conversation}/messages",
    summary="Write in a side conversation",
    needs=Permission.side_conversations_write,
    body=NewSideMessage,
    answers={201: views.Message},
    problems=(404, 409),
    body_bytes_max=limits.json_body_bytes_max,
)
def write_side_message(call: Call[NewSideMessage]) -> Answer:
    """Sends a further message to the third party, as a note of the ticket."""
    ticket = living_ticket_of(call)
    words = _words(call, call.body)
    message_id = commands.write(_row(call, ticket.id), words, actor=call.caller.actor)
    return Answer(
        _message(message_id), status=201, headers={"Location": f"/v1/tickets/{ticket.id}/messages/{message_id}"}
    )


def _row(call: AnyCall, ticket_id: UUID) -> database.Row:
    return queries.get(ticket_id, pages.id_of(call.params["side_conversation"], "side_conversation"))
