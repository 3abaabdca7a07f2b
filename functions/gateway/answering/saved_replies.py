"""/v1/saved_replies: texts with variables that agents use again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import LANGUAGE_TAG, LINE_OR_NONE, Body, Name, Word
from models.identity.rules import Permission
from models.kernel import limits
from models.saved_replies import commands
from models.saved_replies.commands import ReplyText
from models.saved_replies.reach import Reach, Scope
from models.ticket_workflow import agent_texts

operations = Operations()

Folder = Annotated[str, msgspec.Meta(max_length=limits.name_chars_max, pattern=LINE_OR_NONE)]
Language = Annotated[str, msgspec.Meta(min_length=2, max_length=35, pattern=LANGUAGE_TAG)]
Texts = Annotated[dict[Language, Body], msgspec.Meta(min_length=1, max_length=40)]


class SavedReply(msgspec.Struct):
    """A text that agents use again. `texts` has a text for each language. `scope`: own (only its author), team (the
    members of `team`) or all. `uses` counts the messages that were written with it. `definition` names the
    published set of a text that is changed in its file only.
    """

    id: UUID
    name: str
    folder: str
    shortcut: str | None
    scope: str
    team: str | None
    texts: dict[str, str]
    body_format: str
    definition: str | None
    uses: int
    last_used_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class SavedReplyPage(msgspec.Struct):
    """A page of saved replies."""

    items: list[SavedReply]
    next_cursor: str | None


class NewSavedReply(msgspec.Struct, forbid_unknown_fields=True):
    """A saved reply as a whole. A text may have variables such as `{{ requester.name }}` or `{{ ticket.number }}`,
    filters and `{% if %}`, as the templates of life cycles have, and `{{ agent.name }}`.
    """

    name: Name
    texts: Texts
    scope: Scope = Scope.own
    team: Word | None = None
    folder: Folder = ""
    shortcut: Word | None = None
    body_format: Literal["text", "markdown"] = "text"


class SavedReplyQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of saved replies. `q` is a part of the name."""

    folder: Folder | None = None
    shortcut: Word | None = None
    q: Annotated[str, msgspec.Meta(max_length=limits.search_chars_max)] | None = None


class Rendering(msgspec.Struct, forbid_unknown_fields=True):
    """The language of the rendered text; null: the requester's, or the nearest one that the reply has."""

    language: Language | None = None


class RenderedReply(msgspec.Struct):
    """The text for one ticket. `missing` lists the variables that have no value there."""

    body: str
    body_format: str
    language: str
    missing: list[str]


def _text(body: NewSavedReply) -> ReplyText:
    return ReplyText(
        name=body.name.strip(),
        folder=body.folder.strip(),
        shortcut=body.shortcut,
        scope=body.scope,
        team=body.team,
        texts=body.texts,
        body_format=body.body_format,
    )


def _answer(row: commands.SavedReplyRow, status: int = 200, **headers: str) -> Answer:
    return Answer(show.copied(SavedReply, row), status=status, headers=show.etag(row["version"]) | headers)


@operations.add(
    "POST",
    "/v1/saved_replies",
    summary="Create a saved reply",
    needs=Permission.tickets_write,
    body=NewSavedReply,
    answers={201: SavedReply},
    problems=(409,),
    body_bytes_max=limits.json_body_bytes_max,
)
def create_reply(call: Call[NewSavedReply]) -> Answer:
    """Own texts need no further permission; texts of a team or of all need `texts_manage`."""
    row = commands.create(_text(call.body), Reach.of(call.caller))
    return _answer(row, 201, Location=f"/v1/saved_replies/{row['id']}")


@operations.add(
    "GET",
    "/v1/saved_replies",
    summary="List saved replies",
    needs=Permission.tickets_read,
    query=SavedReplyQuery,
    answers={200: SavedReplyPage},
)
def list_replies(call: Call[None, SavedReplyQuery]) -> Answer:
    """Sorted by folder and name: the caller's own, those of their teams and those of all."""
    query = call.query
    after = pages.decode(query.cursor, "saved_replies", str, str, UUID)
    rows = commands.page(
        Reach.of(call.caller),
        folder=query.folder,
        shortcut=query.shortcut,
        text=query.q,
        after=(after[0], after[1], after[2]) if after else None,
        limit=query.limit + 1,
    )
    page, cursor = pages.cut(rows, query.limit, "saved_replies", lambda row: (row["folder"], row["name"], row["id"]))
    return Answer(SavedReplyPage([show.copied(SavedReply, row) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/saved_replies/{reply}",
    summary="Get a saved reply",
    needs=Permission.tickets_read,
    answers={200: SavedReply},
    problems=(404,),
)
def read_reply(call: Call) -> Answer:
    """The ETag is the version that a change expects in If-Match."""
    return _answer(commands.get(pages.id_of(call.params["reply"], "saved reply"), Reach.of(call.caller)))


@operations.add(
    "PUT",
    "/v1/saved_replies/{reply}",
    summary="Replace a saved reply",
    needs=Permission.tickets_write,
    body=NewSavedReply,
    answers={200: SavedReply},
    problems=(404, 409),
    body_bytes_max=limits.json_body_bytes_max,
    etag="optional",
)
def replace_reply(call: Call[NewSavedReply]) -> Answer:
    """A member that is left out gets its default."""
    reply_id = pages.id_of(call.params["reply"], "saved reply")
    expected = call.optional_version()
    return _answer(commands.update(reply_id, _text(call.body), Reach.of(call.caller), expected_version=expected))


@operations.add(
    "DELETE",
    "/v1/saved_replies/{reply}",
    summary="Delete a saved reply",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404,),
)
def delete_reply(call: Call) -> Answer:
    """Messages that were written with it stay."""
    commands.delete(pages.id_of(call.params["reply"], "saved reply"), Reach.of(call.caller))
    return Answer(status=204)


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/saved_replies/{reply}/rendering",
    summary="Render a saved reply for a ticket",
    needs=Permission.tickets_write,
    body=Rendering,
    answers={200: RenderedReply},
    problems=(404, 409),
)
def render_reply(call: Call[Rendering]) -> Answer:
    """Returns the text with the values of the ticket. It changes nothing; a message that names the reply in
    `saved_replies` counts its use.
    """
    ticket = ticket_of(call)
    row = commands.get(pages.id_of(call.params["reply"], "saved reply"), Reach.of(call.caller))
    made = agent_texts.render(
        ticket, row["texts"], call.body.language, actor=call.caller.actor, role=str(call.caller.role)
    )
    return Answer(RenderedReply(made.text, row["body_format"], made.language, list(made.missing)))
