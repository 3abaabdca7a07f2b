"""/palette: views, places, tickets and people, found by what is typed. A page by itself, and a dialog with a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from functions.console.frame import navigation, rendering
from functions.console.frame.pages import Pages
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.http.operations import Answer, AnyCall, Call
from models.identity.rules import Permission
from models.kernel import settings
from models.kernel.errors import Invalid, Unavailable
from models.search import finding, searching
from models.ticket_lists.resolving import resolve
from models.ticket_lists.words import FilterWords
from models.visibility.sight import Sight

pages = Pages()
operations = pages.operations
_TICKETS_MAX: Final = 8  # a person who needs more opens the search


class PaletteQuery(msgspec.Struct):
    """`q`: what was typed. `part`: the dialog alone, for a script."""

    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    part: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of the palette."""

    address: str
    title: str
    icon: str
    note: str = ""


@pages.get("/palette", "Search or jump", query=PaletteQuery)
def show_palette(call: Call[None, PaletteQuery]) -> Answer:
    """Places match by their names, tickets by the search."""
    with reading(rendering.speaking(call)):
        groups, title = _hits(call, call.query.q.strip()), _("Search or jump")
    if call.query.part:
        return rendering.fragment(call, "frame/palette_part.html", groups=groups, q=call.query.q)
    return rendering.page(call, "frame/palette.html", title=title, groups=groups, q=call.query.q)


def _hits(call: AnyCall, text: str) -> list[tuple[str, list[Hit]]]:
    found: list[tuple[str, list[Hit]]] = []
    if text and Permission.tickets_read in call.caller.permissions:
        if tickets := _tickets(call, text):
            found.append((_("Tickets"), tickets))
        found.append(
            (_("Search"), [Hit(navigation.search_address(text), _("Search for “%(text)s”", text=text), "search")])
        )
    wanted = text.casefold()
    for group in navigation.of(call, demo=bool(settings.current().sandbox_url)):
        links = [link for link in group.links if wanted in link.title.casefold()]
        if links:
            found.append((group.title, [Hit(link.address, link.title, link.icon, link.count) for link in links]))
    own = [hit for hit in (Hit("/me", _("Profile"), "user"),) if wanted in hit.title.casefold()]
    return [*found, (_("You"), own)] if own else found


def _tickets(call: AnyCall, text: str) -> list[Hit]:
    """Return the most relevant tickets; none for a text that is no query yet, or while the search is busy."""
    sight = Sight.of(call.caller)
    try:
        search = searching.read(text, wanted=resolve(FilterWords(), sight), sight=sight).search
        rows = finding.by_relevance(search, after=None, limit=_TICKETS_MAX)
    except (Invalid, Unavailable):
        return []
    return [Hit(f"/t/{ticket.number}", ticket.title, "inbox", f"#{ticket.number}") for _step, ticket in rows]
