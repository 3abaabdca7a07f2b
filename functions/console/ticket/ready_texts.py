"""/t/{ticket}/replies and /macros: saved replies for the composer, and macros with a preview."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.console.frame import rendering
from functions.console.frame.pages import Pages
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.ticket import history
from functions.console.ticket.finding import Place, back, ticket_of
from functions.http.operations import Answer, AnyCall, Call
from functions.views import pages as addresses
from models.identity.rules import Permission
from models.kernel.open_json import JsonObject
from models.macros import applying
from models.macros import commands as macros
from models.macros.applying import Applicant, MacroRefused
from models.saved_replies import commands as replies
from models.saved_replies.reach import Reach
from models.ticket_workflow import agent_texts

pages = Pages()
operations = pages.operations

# -- limits ------------------------------------------------------------------------------------------------------------
_shown_max = 20  # a person chooses by typing more of the name


class ReadyQuery(msgspec.Struct, kw_only=True):
    """A part of the name, the text or the shortcut."""

    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class MacroForm(msgspec.Struct):
    """The list beside the ticket."""

    place: Place = ""


@pages.get("/t/{ticket}/replies", "Saved replies", needs=Permission.tickets_write, query=ReadyQuery)
def list_replies(call: Call[None, ReadyQuery]) -> Answer:
    """The caller's own replies, those of their teams and those of all, with the values of the ticket."""
    ticket = ticket_of(call)
    rows = replies.page(
        Reach.of(call.caller), folder=None, shortcut=None, text=call.query.q or None, after=None, limit=_shown_max
    )
    found = []
    for row in rows:
        try:
            made = agent_texts.render(ticket, row["texts"], None, actor=call.caller.actor, role=str(call.caller.role))
        except agent_texts.TextNotRendered:
            continue  # its author sees the problem where the reply is written
        found.append({"id": row["id"], "name": row["name"], "shortcut": row["shortcut"] or "", "text": made.text})
    return rendering.fragment(call, "ticket/replies.html", replies=found)


@pages.get("/t/{ticket}/macros", "Macros", needs=Permission.tickets_write)
def list_macros(call: Call) -> Answer:
    """The macros that the caller can apply."""
    ticket = ticket_of(call)
    with reading(rendering.speaking(call)):
        title = _("Macros for #%(number)s", number=ticket.number)
    rows = macros.page(Reach.of(call.caller), folder=None, after=None, limit=_shown_max)
    return rendering.page(call, "ticket/macros.html", title=title, ticket=ticket, macros=rows, preview=None)


@pages.get("/t/{ticket}/macros/{macro}", "Preview a macro", needs=Permission.tickets_write)
def preview_macro(call: Call) -> Answer:
    """Shows what the macro would do to this ticket. It changes nothing."""
    ticket = ticket_of(call)
    macro = _macro(call)
    with reading(rendering.speaking(call)):
        title = _("%(macro)s: preview for #%(number)s", macro=macro["name"], number=ticket.number)
        refused, messages, lines = "", [], []
        try:
            found = applying.preview(ticket, macro, _applicant(call))
            messages = list(found.messages)
            lines = history.lines(call, ticket, found.events)
        except MacroRefused as error:
            refused = error.message
    values: JsonObject = {"macro": macro, "refused": refused, "messages": messages, "lines": lines}
    return rendering.page(call, "ticket/macros.html", title=title, ticket=ticket, macros=(), preview=values)


@pages.post("/t/{ticket}/macros/{macro}", "Apply a macro", form=MacroForm, needs=Permission.tickets_write)
def apply_macro(call: Call[MacroForm]) -> Answer:
    """All acts happen, or none."""
    ticket = ticket_of(call)
    macro = _macro(call)
    row = applying.apply(ticket.id, macro, _applicant(call))
    with reading(rendering.speaking(call)):
        return back(row, call.body.place, _("%(macro)s: done", macro=macro["name"]))


def _macro(call: AnyCall) -> macros.MacroRow:
    return macros.get(addresses.id_of(call.params["macro"], "macro"), Reach.of(call.caller))


def _applicant(call: AnyCall) -> Applicant:
    return Applicant(call.caller.actor, str(call.caller.role), frozenset(call.caller.permissions))
