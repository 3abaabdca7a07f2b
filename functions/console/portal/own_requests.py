"""/portal and /portal/requests: a visitor's requests, one conversation, and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec

from functions.console.frame import formats, rendering, texts
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import marked, reading
from functions.console.portal import model_form, visits
from functions.console.portal.words import Words, words_of
from functions.http.operations import Answer, AnyCall, Call
from models.attachments import links, scans
from models.kernel import settings
from models.kernel.errors import NotFound
from models.kernel.ids import new_id, parse_id
from models.portal import limits, requests
from models.portal.sign_in import Visitor
from models.ticket_workflow import ratings
from models.tickets.tables import Ticket

pages = Pages()
operations = pages.operations
_NUMBER_DIGITS_MAX = 15


class ListQuery(msgspec.Struct):
    """`before`: the id of the last request of the page before."""

    before: Annotated[str, msgspec.Meta(max_length=60)] = ""


class ConversationQuery(msgspec.Struct):
    """`before`: shows the messages before this one, by their number in the conversation."""

    before: Annotated[int, msgspec.Meta(ge=1, le=2_000_000_000)] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A request in the list: its state in the requester's words, with its colour."""

    ticket: Ticket
    state: str
    group: str


@pages.get("/portal", "My requests", public=True, query=ListQuery)
@visits.with_visitor
def show_own_requests(call: Call[None, ListQuery], visitor: Visitor) -> Answer:
    """Newest first."""
    found = requests.page(visitor, before=parse_id(call.query.before))
    more = found[limits.requests_shown_max - 1].id if len(found) > limits.requests_shown_max else None
    with reading(rendering.speaking(call)):
        rows = [_row(ticket) for ticket in found[: limits.requests_shown_max]]
    title = visits.titled(call, marked("My requests"))
    return visits.page(
        call, visitor, "portal/list.html", title=title, rows=rows, more=more, is_first=not call.query.before
    )


def _row(ticket: Ticket) -> Row:
    state = requests.state_of(ticket)
    label = None if state is None else state.requester_label or state.label
    return Row(ticket, texts.label(label, ticket.state), group_of(ticket))


def group_of(ticket: Ticket) -> str:
    """Return the colour group of a request: new until somebody answered or took it."""
    if ticket.category == "todo" and ticket.first_response_at is None and ticket.assignee_id is None:
        return "new"
    return formats.GROUPS.get(ticket.category, "open")


@pages.get("/portal/requests/{number}", "A request", public=True, query=ConversationQuery)
@visits.with_visitor
def show_request(call: Call[None, ConversationQuery], visitor: Visitor) -> Answer:
    """The conversation, the fields, what the requester can do, and the rating if one is asked for."""
    return conversation_page(call, visitor, found(call, visitor))


def found(call: AnyCall, visitor: Visitor) -> Ticket:
    """Return the visitor's ticket that the address names. Raises NotFound."""
    text = call.params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX):
        raise NotFound("there is no such request")
    return requests.find(visitor, int(text))


def conversation_page(call: AnyCall, visitor: Visitor, ticket: Ticket, *, status: int = 200, **more: Any) -> Answer:
    """Return the page of a request. `more`: what a refused form sent, and what was wrong with it."""
    before = getattr(call.query, "before", None)
    shown = requests.conversation(visitor, ticket, before=before)
    asked = ratings.of_ticket(ticket.id)
    with reading(rendering.speaking(call)):
        row = _row(ticket)
    values = {
        "ticket": ticket,
        "row": row,
        "messages": shown.messages,
        "earlier": shown.earlier,
        "words": _words(shown.messages),
        "fields": _Fields(requests.fields_of(ticket)),
        "choices": requests.choices(visitor, ticket),
        "rating": asked,
        "is_closed": ticket.category == "closed",
        "once": str(new_id()),
        "body": "",
        "comment": "",
        "uploads": (),
        "problem": "",
        "rating_problem": "",
    }
    return visits.page(call, visitor, "portal/request.html", title=ticket.title, status=status, **{**values, **more})


def _words(messages: Any) -> dict[UUID, Words]:
    return {one.row["id"]: words_of(one.row) for one in messages}


class _Fields:
    """The fields of a request, whose texts are made while the page is rendered in its language."""

    def __init__(self, fields: list[requests.FieldShown]) -> None:
        self._fields = fields

    def __bool__(self) -> bool:
        return bool(self._fields)

    def pairs(self) -> list[tuple[str, str]]:
        """Return label and value of each field."""
        return [
            (texts.label(one.field.label, one.name), model_form.shown(one.field, one.value)) for one in self._fields
        ]


@pages.get("/portal/requests/{number}/files/{attachment}", "A file of a request", public=True)
@visits.with_visitor
def show_own_file(call: Call, visitor: Visitor) -> Answer:
    """Leads to a signed link of some minutes, as the API gives it. Only files of messages that the visitor sees."""
    ticket = found(call, visitor)
    attachment_id = parse_id(call.params["attachment"])
    if attachment_id is None:
        raise NotFound("there is no such file")
    row = requests.file(visitor, ticket, attachment_id)
    if row["object_key"] is None or not scans.is_released(row["scan"]):
        raise NotFound(visits.titled(call, marked("This file cannot be downloaded.")))
    return see(links.url(row["id"], settings.current()))
