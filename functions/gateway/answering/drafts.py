"""/v1/tickets/{ticket}/draft: the texts that the caller has not sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Email
from models.drafts import commands
from models.drafts.commands import DraftText
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.errors import Conflict

operations = Operations()

_DraftBody = Annotated[str, msgspec.Meta(max_length=limits.message_body_chars_max, pattern=r"^[^\x00]*(?![\s\S])")]


class MessageDraft(msgspec.Struct):
    """The text that the caller has written in a ticket and not sent. `seen_message` is the newest message that they
    saw.
    """

    ticket_id: UUID
    kind: str
    body: str
    body_format: str
    to: str | None
    copies: list[str] | None
    attachments: list[UUID]
    seen_message: UUID | None
    version: int
    updated_at: datetime


class NewDraft(msgspec.Struct, forbid_unknown_fields=True):
    """The whole draft. Its members are those of a message, which it becomes. `body` may be empty."""

    body: _DraftBody
    kind: Literal["reply", "note"] = "reply"
    body_format: Literal["text", "markdown", "html"] = "text"
    to: Email | None = None
    copies: Annotated[list[Email], msgspec.Meta(max_length=limits.participants_max)] | None = None
    attachments: Annotated[list[UUID], msgspec.Meta(max_length=limits.attachments_per_message_max)] = []
    seen_message: UUID | None = None


class ListedDraft(msgspec.Struct):
    """A draft of the caller. `excerpt` is its beginning."""

    ticket_id: UUID
    ticket_number: int
    ticket_title: str
    kind: str
    excerpt: str
    updated_at: datetime


class DraftPage(msgspec.Struct):
    """A page of drafts."""

    items: list[ListedDraft]
    next_cursor: str | None


def author_of(call: AnyCall) -> UUID:
    """The user whose drafts the request is about. Raises Conflict for an API key."""
    if call.caller.kind != "user":
        raise Conflict("An API key has no drafts; sign in as a user.")
    return call.caller.id


def _shown(row: commands.DraftRow) -> MessageDraft:
    return MessageDraft(
        ticket_id=row["ticket_id"],
        kind=row["kind"],
        body=row["body"],
        body_format=row["body_format"],
        to=row["recipient"],
        copies=row["copies"],
        attachments=[UUID(one) for one in row["attachments"]],
        seen_message=row["seen_message_id"],
        version=row["version"],
        updated_at=row["updated_at"],
    )


@operations.add(
    "GET",
    "/v1/me/drafts",
    summary="List the caller's drafts",
    needs=Permission.tickets_write,
    query=pages.PageQuery,
    answers={200: DraftPage},
    problems=(409,),
)
def list_drafts(call: Call[None, pages.PageQuery]) -> Answer:
    """The newest first. Only drafts in tickets that the caller sees."""
    before = pages.decode(call.query.cursor, "drafts", pages.instant, UUID)
    rows = commands.page(
        author_of(call),
        before=(before[0], before[1]) if before else None,
        limit=call.query.limit + 1,
        only=sight_of(call).tickets(),
    )
    page, cursor = pages.cut(rows, call.query.limit, "drafts", lambda row: (row["updated_at"], row["ticket_id"]))
    return Answer(DraftPage([show.copied(ListedDraft, row) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/draft",
    summary="Get the caller's draft",
    needs=Permission.tickets_write,
    answers={200: MessageDraft},
    problems=(404, 409),
)
def read_draft(call: Call) -> Answer:
    """The ETag is the version that a change expects in If-Match."""
    row = commands.find(ticket_of(call).id, author_of(call))
    return Answer(_shown(row), headers=show.etag(row["version"]))


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/draft",
    summary="Store the caller's draft",
    needs=Permission.tickets_write,
    body=NewDraft,
    answers={200: MessageDraft},
    problems=(404, 409),
    body_bytes_max=limits.json_body_bytes_max,
    etag="optional",
)
def store_draft(call: Call[NewDraft]) -> Answer:
    """Replaces the draft. With If-Match (`"0"` if there is none yet), a version that another window stored is not
    overwritten (412). A message that is sent with `from_draft: true` deletes the draft.

    An upload that no message used within a day is deleted, also when a draft names it. A draft that nobody changed for
    90 days is deleted.
    """
    body = call.body
    text = DraftText(
        kind=body.kind,
        body=body.body,
        body_format=body.body_format,
        recipient=body.to,
        copies=None if body.copies is None else list(body.copies),
        attachments=body.attachments,
        seen_message_id=body.seen_message,
    )
    expected = call.optional_version()
    row = commands.store(ticket_of(call).id, author_of(call), text, expected_version=expected)
    return Answer(_shown(row), headers=show.etag(row["version"]))


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/draft",
    summary="Delete the caller's draft",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404, 409),
)
def delete_draft(call: Call) -> Answer:
    """Deletes the draft, if there is one."""
    commands.delete(ticket_of(call).id, author_of(call))
    return Answer(status=204)
