"""/t/{ticket}: the page of a ticket."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from functions.console.frame import navigation, rendering
from functions.console.frame.pages import Pages
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.inbox import pane
from functions.console.ticket import history, side, thread, transitions
from functions.console.ticket.finding import ticket_of
from functions.console.ticket.transitions import Option
from functions.http.operations import Answer, AnyCall, Call
from models.conversations import participants
from models.drafts import commands as drafts
from models.drafts.commands import DraftRow
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.presence import commands as presence
from models.presence import queries as present
from models.read_marks import commands as read_marks
from models.requesters import queries as requesters
from models.tickets.tables import Ticket

pages = Pages()
operations = pages.operations

TABS = ("details", "requester", "history")


class TicketQuery(pane.PaneQuery, kw_only=True):
    """`tab`: the part of the details. `before`: the conversation before this message's number. `in` and the filters:
    the list beside the ticket.
    """

    tab: Literal["details", "requester", "history"] = "details"
    before: Annotated[int, msgspec.Meta(ge=1)] | None = None


@dataclass(slots=True)
class Composer:
    """The texts of the composer. `problem`: why the last try was refused. `held`: others wrote meanwhile."""

    kind: str = "reply"
    body: str = ""
    problem: str = ""
    held: bool = False
    to: str = ""
    can_reply: bool = True
    once: str = ""
    version: int = 0


@pages.get("/t/{ticket}", "A ticket", needs=Permission.tickets_read, query=TicketQuery)
def show_ticket(call: Call[None, TicketQuery]) -> Answer:
    """Finds the ticket by number or id. With an If-None-Match of the page's tag, 304 while no event was logged."""
    ticket = ticket_of(call)
    if call.caller.kind == "user":
        _arrive(call, ticket)
    others = present.of_tickets([ticket.id], without=call.caller.id).get(ticket.id, [])
    tag = _tag(call, ticket, others)
    if call.knows(f'"{tag}"'):
        return Answer(status=304)
    if call.caller.kind == "user":
        with database.transaction():
            read_marks.mark_read(ticket.id, call.caller.id)
    return shown(call, ticket, tag=tag, others=others)


def _arrive(call: AnyCall, ticket: Ticket) -> None:
    """Say that the caller looks at the ticket, or writes in it while the draft changes."""
    draft = draft_of(call, ticket)
    writes = draft is not None and (clock.now() - draft["updated_at"]).total_seconds() < presence.presence_s
    with database.transaction():
        presence.say(ticket.id, call.caller.id, "writing" if writes else "viewing")


def _tag(call: AnyCall, ticket: Ticket, others: Any) -> str:
    people = sorted((str(one["user_id"]), one["doing"]) for one in others)
    state = (*navigation.state_of(call), call.request.relative_uri, ticket.version, people, call.caller.role)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:24]


def shown(
    call: AnyCall,
    ticket: Ticket,
    *,
    composer: Composer | None = None,
    tag: str = "",
    others: Any = (),
    status: int = 200,
    query: TicketQuery | None = None,
) -> Answer:
    """Return the page. `composer`: what a refused form had in it."""
    asked = query or (call.query if isinstance(call.query, TicketQuery) else TicketQuery())
    with reading(rendering.speaking(call)):
        if composer is None:
            composer = _composer(call, ticket)
        composer.once = composer.once or uuid.uuid4().hex
        writes = Permission.tickets_write in call.caller.permissions
        found = thread.of(call, ticket, before=asked.before)
        options = transitions.options(call, ticket) if writes else []
        values: JsonObject = {
            "pane": pane.of(call, selected=ticket.id, asked=asked),
            "ticket": ticket,
            "thread": found,
            "side": side.of(call, ticket),
            "lines": history.whole(call, ticket) if asked.tab == "history" else (),
            "tab": asked.tab,
            "composer": composer,
            "options": options,
            "forward": _forward(options),
            "others": others,
            "writes": writes,
            "assigns": Permission.tickets_assign in call.caller.permissions,
            "contact": _contact(ticket),
            "state": history.state_label(ticket, ticket.state),
        }
        title = f"#{ticket.number} {ticket.title}"
    return rendering.page(call, "ticket/ticket.html", title=title, tag=tag, status=status, **values)


def _composer(call: AnyCall, ticket: Ticket) -> Composer:
    draft = draft_of(call, ticket)
    if draft is None:
        return Composer()
    return Composer(draft["kind"], draft["body"], to=draft["recipient"] or "", version=draft["version"])


def draft_of(call: AnyCall, ticket: Ticket) -> DraftRow | None:
    """Return the caller's draft in the ticket, if there is one."""
    if call.caller.kind != "user" or Permission.tickets_write not in call.caller.permissions:
        return None
    try:
        return drafts.find(ticket.id, call.caller.id)
    except NotFound:
        return None


def _forward(options: list[Option]) -> Option | None:
    """Return the transition of the big button: the one that ends the work, else the first that is possible."""
    possible = [one for one in options if one.possible]
    return next((one for one in possible if one.group == "done"), possible[0] if possible else None)


@dataclass(frozen=True, slots=True)
class Contact:
    """The person whom a reply reaches. `name` is empty when nobody can be reached."""

    name: str
    address: str
    channel: str
    copies: list[str]
    warning: str


def _contact(ticket: Ticket) -> Contact:
    reader = participants.contact_of(ticket)
    if reader is None:
        return Contact("", "", "", [], _("The requester has no channel that can be answered."))
    readers = participants.of_reply(ticket, None)
    name = reader.person.name or ticket.requester_name
    if not name and ticket.requester_id is not None:
        name = requesters.names_of({ticket.requester_id}).get(ticket.requester_id, "")
    copies = [one.person.name or one.person.address for one in readers.copies]
    return Contact(name or reader.person.address, reader.person.address, ticket.contact_channel or "", copies, "")
