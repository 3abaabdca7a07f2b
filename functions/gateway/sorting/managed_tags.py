"""/v1/tags: the tags of the desk, with counts, descriptions, renaming, merging and deletion."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from functions.gateway.sights import sight_of
from functions.gateway.sorting.bulk_changes import BulkChange, shown_job
from functions.http.bodies import explain_pattern
from functions.http.operations import Answer, AnyCall, Call, Cost, Operations
from functions.views import pages
from functions.views.texts import WORD_PATTERN, Comment, Word
from models.identity.rules import Permission
from models.kernel import names
from models.kernel.errors import FieldProblem, Invalid
from models.tags import commands, queries

operations = Operations()
_PATTERNS: Final = {"tag": WORD_PATTERN}
_COLOUR: Final = explain_pattern(r"^#[0-9a-f]{6}(?![\s\S])", "expected a colour such as #2f7d32")
Colour = Annotated[str, msgspec.Meta(pattern=_COLOUR)]


class TagShown(msgspec.Struct):
    """A tag. `tickets`: the number of the tickets that the caller sees with it."""

    name: str
    tickets: int
    description: str | None
    colour: str | None


class TagPage(msgspec.Struct):
    """Tags by name."""

    items: list[TagShown]
    next_cursor: str | None


class TagDetails(msgspec.Struct, forbid_unknown_fields=True):
    """The description and the colour of a tag; null removes one."""

    description: Comment | None = None
    colour: Colour | None = None


class TagDescribed(msgspec.Struct):
    """A tag with its description and colour."""

    name: str
    description: str | None
    colour: str | None


class TagRenaming(msgspec.Struct, forbid_unknown_fields=True):
    """The new name of the tag. A tag of this name that exists already is merged."""

    to: Word


def _tag(call: AnyCall) -> str:
    tag = call.params["tag"]
    if not names.is_word(tag):
        raise Invalid([FieldProblem("/tag", "expected a word of lower-case letters, digits, - and _, at most 60")])
    return names.folded(tag)


@operations.add(
    "GET",
    "/v1/tags",
    cost=Cost.heavy,
    summary="List tags",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: TagPage},
)
def list_tags(call: Call[None, pages.PageQuery]) -> Answer:
    """The tags of the tickets that the caller sees, and the described tags, by name."""
    after = pages.decode(call.query.cursor, "tags", str)
    rows = queries.page(sight_of(call), after=after[0] if after else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "tags", lambda row: (row.name,))
    return Answer(TagPage([msgspec.convert(row, TagShown, from_attributes=True) for row in page], cursor))


@operations.add(
    "PUT",
    "/v1/tags/{tag}",
    summary="Describe a tag",
    needs=Permission.tags_manage,
    body=TagDetails,
    answers={200: TagDescribed},
    problems=(422,),
    path_patterns=_PATTERNS,
)
def describe_tag(call: Call[TagDetails]) -> Answer:
    """Sets the description and the colour. A tag can be described before a ticket has it."""
    name, body = _tag(call), call.body
    commands.describe(name, description=body.description, colour=body.colour)
    return Answer(TagDescribed(name, body.description, body.colour))


@operations.add(
    "POST",
    "/v1/tags/{tag}/renaming",
    summary="Rename or merge a tag",
    needs=Permission.tags_manage,
    body=TagRenaming,
    answers={202: BulkChange},
    problems=(409,),
    path_patterns=_PATTERNS,
)
def rename_tag(call: Call[TagRenaming]) -> Answer:
    """Starts a bulk change of every ticket that the caller sees with the tag. It can be undone for an hour.

    The new name gets the description unless it has one. The old name keeps it while a team hides tickets from the
    caller.
    """
    return shown_job(commands.rename(_tag(call), names.folded(call.body.to), caller=call.caller), 202)


@operations.add(
    "DELETE",
    "/v1/tags/{tag}",
    summary="Delete a tag",
    needs=Permission.tags_manage,
    answers={202: BulkChange},
    problems=(409, 422),
    path_patterns=_PATTERNS,
)
def delete_tag(call: Call) -> Answer:
    """Starts a bulk change that removes the tag from every ticket that the caller sees.

    The description is removed as well, unless a team hides tickets from the caller.
    """
    return shown_job(commands.delete(_tag(call), caller=call.caller), 202)
