"""/v1/macros: named sequences of acts on a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.answering.saved_replies import Folder
from functions.gateway.sights import sight_of, ticket_of
from functions.gateway.ticket.tickets import represented
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Name, Word
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem
from models.kernel.open_json import JsonObject
from models.macros import acts, applying, commands
from models.macros.acts import MacroAct
from models.macros.applying import Applicant
from models.macros.commands import MacroContent, MacroRow
from models.saved_replies.reach import Reach, Scope
from models.visibility import seen

operations = Operations()


class ActProblem(msgspec.Struct):
    """An act of a macro that cannot be applied any more, such as one that names a team that is gone."""

    path: str
    message: str


class Macro(msgspec.Struct):
    """A named sequence of acts. `scope`: own (only its author), team (the members of `team`) or all. `problems` lists
    what has become wrong since the macro was stored. `definition` names the published set of a macro that is changed in
    its file only.
    """

    id: UUID
    name: str
    folder: str
    scope: str
    team: str | None
    acts: list[MacroAct]
    definition: str | None
    uses: int
    last_used_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    problems: list[ActProblem]


class MacroPage(msgspec.Struct):
    """A page of macros."""

    items: list[Macro]
    next_cursor: str | None


class NewMacro(msgspec.Struct, forbid_unknown_fields=True):
    """A macro as a whole."""

    name: Name
    acts: Annotated[list[MacroAct], msgspec.Meta(min_length=1, max_length=acts.acts_max)]
    scope: Scope = Scope.own
    team: Word | None = None
    folder: Folder = ""


class MacroQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of macros."""

    folder: Folder | None = None


class PreviewedMessage(msgspec.Struct):
    """A message that the macro or the life cycle would write."""

    kind: str
    direction: str
    author_kind: str
    channel: str
    body: str
    body_format: str


class PreviewedEvent(msgspec.Struct):
    """An event that the macro or the life cycle would cause."""

    event_type: str
    payload: JsonObject


class MacroPreview(msgspec.Struct):
    """The ticket after the macro, and what would happen until then. Nothing of it has happened."""

    ticket: show.Ticket
    messages: list[PreviewedMessage]
    events: list[PreviewedEvent]


def _content(body: NewMacro) -> MacroContent:
    return MacroContent(body.name.strip(), body.folder.strip(), body.scope, body.team, body.acts)


def _shown(row: MacroRow, problems: list[FieldProblem]) -> Macro:
    found = [ActProblem(one.path, one.message) for one in problems]
    same = show.same_names(Macro, row, but={"acts", "problems"})
    return Macro(acts=acts.decoded(row["acts"]), problems=found, **same)


def _answer(row: MacroRow, status: int = 200, **headers: str) -> Answer:
    shown = _shown(row, acts.problems(acts.decoded(row["acts"])))
    return Answer(shown, status=status, headers=show.etag(row["version"]) | headers)


def _macro(call: AnyCall) -> MacroRow:
    return commands.get(pages.id_of(call.params["macro"], "macro"), Reach.of(call.caller))


def _applicant(call: AnyCall) -> Applicant:
    return Applicant(call.caller.actor, str(call.caller.role), frozenset(call.caller.permissions))


@operations.add(
    "POST",
    "/v1/macros",
    summary="Create a macro",
    needs=Permission.tickets_write,
    body=NewMacro,
    answers={201: Macro},
    problems=(409,),
)
def create_macro(call: Call[NewMacro]) -> Answer:
    """Own macros need no further permission; macros of a team or of all need `texts_manage`. Texts, and names of
    fields, teams, priorities, transitions and users are checked.
    """
    row = commands.create(_content(call.body), Reach.of(call.caller))
    return _answer(row, 201, Location=f"/v1/macros/{row['id']}")


@operations.add(
    "GET",
    "/v1/macros",
    summary="List macros",
    needs=Permission.tickets_read,
    query=MacroQuery,
    answers={200: MacroPage},
)
def list_macros(call: Call[None, MacroQuery]) -> Answer:
    """Sorted by folder and name: the caller's own, those of their teams and those of all.

    `problems` is empty here; read one macro for it.
    """
    query = call.query
    after = pages.decode(query.cursor, "macros", str, str, UUID)
    position = (after[0], after[1], after[2]) if after else None
    rows = commands.page(Reach.of(call.caller), folder=query.folder, after=position, limit=query.limit + 1)
    page, cursor = pages.cut(rows, query.limit, "macros", lambda row: (row["folder"], row["name"], row["id"]))
    return Answer(MacroPage([_shown(row, []) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/macros/{macro}",
    summary="Get a macro",
    needs=Permission.tickets_read,
    answers={200: Macro},
    problems=(404,),
)
def read_macro(call: Call) -> Answer:
    """The ETag is the version that a change expects in If-Match."""
    return _answer(_macro(call))


@operations.add(
    "PUT",
    "/v1/macros/{macro}",
    summary="Replace a macro",
    needs=Permission.tickets_write,
    body=NewMacro,
    answers={200: Macro},
    problems=(404,),
    etag="optional",
)
def replace_macro(call: Call[NewMacro]) -> Answer:
    """A member that is left out gets its default."""
    macro_id = pages.id_of(call.params["macro"], "macro")
    expected = call.optional_version()
    return _answer(commands.update(macro_id, _content(call.body), Reach.of(call.caller), expected_version=expected))


@operations.add(
    "DELETE",
    "/v1/macros/{macro}",
    summary="Delete a macro",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404,),
)
def delete_macro(call: Call) -> Answer:
    """Acts that it has done stay."""
    commands.delete(pages.id_of(call.params["macro"], "macro"), Reach.of(call.caller))
    return Answer(status=204)


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/macros/{macro}/preview",
    summary="Preview a macro",
    needs=Permission.tickets_write,
    answers={200: MacroPreview},
    problems=(404, 409),
    unlocked=True,
)
def preview_macro(call: Call) -> Answer:
    """Returns what the macro would do to this ticket, with the reactions of the life cycle. It changes nothing.

    An act that is not possible answers 409 `macro_refused` with the number of the act (from 0) and the reason.
    """
    ticket = ticket_of(call)
    found = applying.preview(ticket, _macro(call), _applicant(call))
    happened = seen.events(found.events, ticket, sight_of(call))
    return Answer(
        MacroPreview(
            show.tickets([found.ticket], role=call.caller.role)[0],
            [show.copied(PreviewedMessage, row) for row in found.messages],
            [show.copied(PreviewedEvent, row) for row in happened],
        )
    )


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/macros/{macro}/application",
    summary="Apply a macro to a ticket",
    needs=Permission.tickets_write,
    answers={200: show.Ticket},
    problems=(404, 409),
    etag="optional",
)
def apply_macro(call: Call) -> Answer:
    """All acts happen, or none: an act that is not possible answers 409 `macro_refused`, and nothing is changed."""
    expected = call.optional_version()
    ticket = ticket_of(call)
    row = applying.apply(ticket.id, _macro(call), _applicant(call), expected_version=expected)
    return represented(call, row)
