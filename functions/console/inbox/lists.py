"""/inbox: the lists of tickets."""

from __future__ import annotations

import hashlib

from functions.console.frame import navigation, rendering
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.inbox import pane
from functions.http.operations import Answer, AnyCall, Call
from models.identity.rules import Permission

pages = Pages()
operations = pages.operations


@pages.get("/inbox", "The inbox", needs=Permission.tickets_read)
def open_inbox(call: Call) -> Answer:
    """Leads to the first view."""
    return see(f"/inbox/{pane.FIRST}")


@pages.get("/inbox/{view}", "The tickets of a view", needs=Permission.tickets_read)
def show_list(call: Call) -> Answer:
    """With an If-None-Match of the page's tag, 304 while no event was logged."""
    tag = tag_of(call)
    if call.knows(f'"{tag}"'):
        return Answer(status=304)
    with reading(rendering.speaking(call)):
        found = pane.of(call, key=call.params["view"])
        assert found is not None, "the path names a view"
        title = _("%(view)s: tickets", view=found.title)
    return rendering.page(call, "inbox/list.html", title=title, tag=tag, pane=found, ticket=None)


def tag_of(call: AnyCall) -> str:
    """Return the tag of a page of tickets: it changes with every event of the log, and at least each half minute."""
    state = (*navigation.state_of(call), call.request.relative_uri, sorted(call.caller.permissions))
    return hashlib.sha256(repr(state).encode()).hexdigest()[:24]
