"""/v1/tickets/{ticket}/messages: the conversation, and the deliveries of its answers."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.gateway.answering.drafts import author_of
from functions.gateway.sights import living_ticket_of, ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import message_views as views
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Body, Email, Instant
from models.attachments import commands as attachments
from models.attachments import queries as files
from models.conversations import queries as conversations
from models.deliveries import corrections, retries
from models.deliveries import queries as deliveries
from models.drafts import commands as drafts
from models.identity.rules import Permission
from models.kernel import limits, settings
from models.kernel.errors import FieldProblem, Invalid, NotFound, PreconditionFailed
from models.saved_replies import commands as replies
from models.saved_replies.reach import Reach
from models.ticket_actions import answering
from queues import channels

operations = Operations()


class NewMessage(msgspec.Struct, forbid_unknown_fields=True):
    """A reply to the requester, or an internal note. `send_at` schedules a reply.

    `copies` lists the mail addresses that receive a copy. When it is left out, the copied recipients of the requester's
    last mail receive one; `[]` sends none. `to` sends a mail to this address instead of the requester's: a participant
    or somebody else, who then takes part in the ticket. A mail that reaches no address of the requester changes no
    state and meets no promise. `attachments` lists ids of uploads. `mentions` lists users whom a note
    mentions: they see the ticket, whatever its team, and get a notice.

    `seen_message` is the last message that the author of a reply saw. If others wrote since, nothing is sent, and the
    answer is 409 `thread_moved_on` with the new messages; `send_anyway` sends all the same. If-Match (optional) holds a
    reply for any change of the ticket (412). `from_draft` deletes the caller's draft in this ticket.
    `signed: false` sends a mail without the author's signature.
    `saved_replies` lists the saved replies that the text was written with; their uses are counted.
    """

    kind: Literal["reply", "note"]
    body: Body
    body_format: Literal["text", "markdown", "html"] = "text"
    send_at: Instant | None = None
    attachments: Annotated[list[UUID], msgspec.Meta(max_length=limits.attachments_per_message_max)] = []
    copies: Annotated[list[Email], msgspec.Meta(max_length=limits.participants_max)] | None = None
    mentions: Annotated[list[UUID], msgspec.Meta(max_length=limits.followers_max)] = []
    to: Email | None = None
    seen_message: UUID | None = None
    send_anyway: bool = False
    from_draft: bool = False
    signed: bool = True
    saved_replies: Annotated[list[UUID], msgspec.Meta(max_length=replies.uses_named_max)] = []


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/messages",
    summary="Create a message",
    needs=Permission.tickets_write,
    body=NewMessage,
    answers={201: views.Message},
    problems=(404, 409),
    body_bytes_max=limits.json_body_bytes_max,
    etag="optional",
)
def add_message(call: Call[NewMessage]) -> Answer:
    """Adds a reply to the requester or an internal note. A reply is sent over the channel of the requester.

    A message to a merged ticket joins the ticket that it was merged into, which `ticket_id` of the answer names.
    """
    body = call.body
    if not body.body.strip():
        raise Invalid([FieldProblem("/body", "expected a text that is not blank")])
    ticket = living_ticket_of(call)
    actor = call.caller.actor
    version = None if body.send_anyway else call.optional_version()
    if body.kind == "note":
        if body.send_at is not None:
            raise Invalid([FieldProblem("/send_at", "expected none: a note is not sent")])
        if body.to is not None:
            raise Invalid([FieldProblem("/to", "expected none: a note is not sent")])
        if body.copies:
            raise Invalid([FieldProblem("/copies", "expected none: a note is not sent")])
        if body.seen_message is not None:
            raise Invalid([FieldProblem("/seen_message", "expected none: a note is never held")])
        message_id = answering.note(
            ticket.id,
            body.body,
            actor=actor,
            body_format=body.body_format,
            mentions=list(dict.fromkeys(body.mentions)),
            expected_version=version,
        )
    else:
        if body.mentions:
            raise Invalid([FieldProblem("/mentions", "expected none: the requester reads a reply")])
        views.check_send_at(body.send_at)
        message_id = answering.reply(
            ticket.id,
            body.body,
            actor=actor,
            body_format=body.body_format,
            send_at=body.send_at,
            copies=body.copies,
            to=body.to,
            seen_id=None if body.send_anyway else body.seen_message,
            expected_version=version,
            signed=body.signed,
        )
    if body.attachments:
        attachments.use(body.attachments, ticket_id=ticket.id, message_id=message_id, by=call.caller.key)
    if body.saved_replies:
        replies.count_use(set(body.saved_replies), Reach.of(call.caller))
    if body.from_draft:
        drafts.delete(ticket.id, author_of(call))
    row = conversations.get(message_id)
    [made] = views.messages([row])
    return Answer(made, status=201, headers={"Location": f"/v1/tickets/{ticket.id}/messages/{message_id}"})


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/messages",
    summary="List a ticket's messages",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: views.MessagePage},
    problems=(404,),
)
def list_messages(call: Call[None, pages.PageQuery]) -> Answer:
    """Oldest first."""
    ticket = ticket_of(call)
    after = pages.decode(call.query.cursor, "messages", pages.number)
    rows = conversations.page(ticket.id, after_sequence=after[0] if after else 0, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "messages", lambda row: (row["sequence"],))
    return Answer(views.MessagePage(views.messages(page), cursor))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/messages/{message}",
    summary="Get a message",
    needs=Permission.tickets_read,
    answers={200: views.Message},
    problems=(404,),
)
def read_message(call: Call) -> Answer:
    """The ETag is the version that a change expects in If-Match."""
    ticket = ticket_of(call)
    message_id = pages.id_of(call.params["message"], "message")
    row = conversations.get(message_id)
    if row["ticket_id"] != ticket.id:
        raise NotFound(f"there is no message {message_id} in this ticket")
    [message] = views.messages([row])
    return Answer(message, headers=show.etag(_version(message)))


class HtmlQuery(msgspec.Struct, kw_only=True):
    """`remote` includes remote pictures. Loading them tells the sender that the mail is read.

    `whole` includes the quotes and the signature that the message leaves out.
    """

    remote: bool = False
    whole: bool = False


class Html(msgspec.Struct):
    """The sanitised HTML of a mail. `<img data-cid="x">` refers to `pictures["x"]`, a signed link that expires after
    minutes.

    `blocked_remote` counts the remote pictures that are left out. `cut` is true if quotes or a signature are left out:
    request them with `whole`. Of mails that arrived before this option, only the cut HTML is stored.
    """

    html: str | None
    blocked_remote: int
    pictures: dict[str, str]
    cut: bool


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/messages/{message}/html",
    summary="Get the HTML of a message",
    needs=Permission.tickets_read,
    query=HtmlQuery,
    answers={200: Html},
    problems=(404,),
)
def read_html(call: Call[None, HtmlQuery]) -> Answer:
    """Render it in a sandboxed frame without scripts. Remote pictures are blocked unless `remote` is set."""
    message_id = _of_ticket(call)
    row = conversations.get(message_id)
    whole = conversations.whole_html(message_id)
    shown, remote, is_cut = row["body_html"], row["body_html_remote"], whole is not None
    blocked = int(row["details"].get("blocked_remote") or 0)
    if call.query.whole and whole is not None:
        shown, remote, is_cut = whole["html"], whole["html_remote"], False
        blocked = whole["blocked_remote"]
    if call.query.remote and blocked:
        shown, blocked = remote, 0
    return Answer(Html(shown, blocked, files.cid_links(message_id, settings.current()), is_cut))


class MessageChange(msgspec.Struct, forbid_unknown_fields=True):
    """The new text of a message."""

    body: Body


@operations.add(
    "PATCH",
    "/v1/tickets/{ticket}/messages/{message}",
    summary="Update a message",
    needs=Permission.tickets_write,
    body=MessageChange,
    answers={200: views.Message},
    problems=(404, 409),
    body_bytes_max=limits.json_body_bytes_max,
    etag=True,
)
def change_message(call: Call[MessageChange]) -> Answer:
    """Changes a note, a reply that is not sent yet, or a reply on a channel that supports edits; other replies answer
    409.

    Messages of others need the permission `messages_manage`. Earlier versions are kept, and `edited_by` names the
    editor.
    """
    if not call.body.body.strip():
        raise Invalid([FieldProblem("/body", "expected a text that is not blank")])
    message_id = _of_ticket(call)
    expected = call.expected_version()
    current = _shown(message_id)
    if expected not in (None, _version(current)):
        raise PreconditionFailed(f"If-Match: expected version {_version(current)}, found {expected}")
    corrections.edit(message_id, call.body.body, actor=call.caller.actor, can=_operations_of, of_others=_manages(call))
    changed = _shown(message_id)
    return Answer(changed, headers=show.etag(_version(changed)))


def _shown(message_id: UUID) -> views.Message:
    return views.messages([conversations.get(message_id)])[0]


def _version(message: views.Message) -> int:
    """The version of a message: one more than the number of its changes."""
    return 1 + len(message.versions)


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/messages/{message}",
    summary="Delete a message",
    needs=Permission.tickets_write,
    answers={200: views.Message},
    problems=(404, 409),
)
def delete_message(call: Call) -> Answer:
    """Allowed for the same messages and callers as an update.

    The message stays in the history, marked as deleted, and is deleted on its channel.
    """
    message_id = _of_ticket(call)
    corrections.delete(message_id, actor=call.caller.actor, can=_operations_of, of_others=_manages(call))
    return Answer(_shown(message_id))


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/messages/{message}/retry",
    summary="Send a message again",
    needs=Permission.tickets_write,
    answers={202: views.Message},
    problems=(404, 409),
)
def retry_message(call: Call) -> Answer:
    """Retries the failed deliveries of an own message; messages of others need the permission `deliveries_manage`.

    Without a failed delivery nothing changes.
    """
    message_id = _of_ticket(call)
    manages = Permission.deliveries_manage in call.caller.permissions
    retries.retry(message_id, actor=call.caller.actor, of_others=manages)
    return Answer(_shown(message_id), status=202)


def _of_ticket(call: AnyCall) -> UUID:
    ticket = ticket_of(call)
    message_id = pages.id_of(call.params["message"], "message")
    if conversations.get(message_id)["ticket_id"] != ticket.id:
        raise NotFound(f"there is no message {message_id} in this ticket")
    return message_id


def _manages(call: AnyCall) -> bool:
    """Return True if the caller may change what others wrote."""
    return Permission.messages_manage in call.caller.permissions


def _operations_of(channel: str) -> frozenset[str]:
    return channels.get(channel).operations


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/deliveries",
    summary="List a ticket's deliveries",
    needs=Permission.deliveries_read,
    query=pages.PageQuery,
    answers={200: show.DeliveryPage},
    problems=(404,),
)
def list_ticket_deliveries(call: Call[None, pages.PageQuery]) -> Answer:
    """Oldest first, with every attempt."""
    ticket = ticket_of(call)
    after = pages.decode(call.query.cursor, "ticket_deliveries", pages.instant, UUID)
    position = (after[0], after[1]) if after else None
    limit = call.query.limit
    rows = deliveries.of_ticket(ticket.id, after=position, limit=limit + 1)
    page, cursor = pages.cut(rows, limit, "ticket_deliveries", lambda row: (row["created_at"], row["id"]))
    return Answer(show.DeliveryPage([show.delivery(row) for row in page], cursor))
