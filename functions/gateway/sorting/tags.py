"""/v1/tickets/{ticket}/tags/{tag}: add and remove single tags."""

from __future__ import annotations

from typing import Final

from functions.gateway.sights import ticket_of
from functions.gateway.ticket.tickets import represented
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import representations as show
from functions.views.texts import WORD_PATTERN
from models.identity.rules import Permission
from models.kernel import names
from models.kernel.errors import FieldProblem, Invalid
from models.ticket_actions import tagging
from models.ticket_actions.sorting import undoing

operations = Operations()
# As in the list of a ticket's tags (functions/views/texts.py, Word).
_PATTERNS: Final = {"tag": WORD_PATTERN}


def _tag(call: AnyCall) -> str:
    tag = call.params["tag"]
    if not names.is_word(tag):
        expected = "expected a word of lower-case letters, digits, - and _, beginning with a letter, at most 60"
        raise Invalid([FieldProblem("/tag", expected)])
    return names.folded(tag)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/tags/{tag}",
    summary="Add a tag",
    needs=Permission.tickets_write,
    answers={200: show.Ticket},
    problems=(404, 422),
    path_patterns=_PATTERNS,
)
def add_tag(call: Call) -> Answer:
    """The other tags stay. Idempotent."""
    ticket = ticket_of(call)
    tag, actor = _tag(call), call.caller.actor
    row = undoing.undoable(lambda: tagging.add(ticket.id, tag, actor=actor, role=call.caller.role), actor=actor)
    return represented(call, row)


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/tags/{tag}",
    summary="Remove a tag",
    needs=Permission.tickets_write,
    answers={200: show.Ticket},
    problems=(404, 422),
    path_patterns=_PATTERNS,
)
def remove_tag(call: Call) -> Answer:
    """The other tags stay. Idempotent."""
    ticket = ticket_of(call)
    tag, actor = _tag(call), call.caller.actor
    row = undoing.undoable(lambda: tagging.remove(ticket.id, tag, actor=actor, role=call.caller.role), actor=actor)
    return represented(call, row)
