"""The navigation: what the signed-in user can open, with the counts of the views.

Counting all views costs some milliseconds on a large desk, so a process keeps the counts of a user until an event is
logged, and at most 30 seconds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from functions.console.frame import texts
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked
from functions.http.operations import AnyCall
from models.events.following import reading
from models.identity.rules import Permission
from models.kernel import clock
from models.ticket_lists.views import counts
from models.ticket_lists.views import queries as views
from models.ticket_lists.views.view import View
from models.visibility.sight import Sight

# -- limits ------------------------------------------------------------------------------------------------------------
_COUNTS_FRESH_S: Final = 30  # what changes counts without an event: a due time that passes
_USERS_MAX: Final = 500  # some 1 KB each


@dataclass(frozen=True, slots=True)
class Link:
    """A row of the navigation. `count` is a bounded number as text; `bad`: the number needs a person."""

    address: str
    title: str
    icon: str
    count: str = ""
    bad: bool = False
    key: str = ""
    here: bool = False


@dataclass(slots=True)
class Group:
    """Rows under a heading."""

    title: str
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the navigation offers. `needs`: the permission; None for everybody. `demo`: in the demo only."""

    address: str
    title: str
    icon: str
    needs: Permission | None = None
    key: str = ""
    demo: bool = False
    when: Callable[[AnyCall], bool] | None = None


# Rooms add their pages here, in the order of the navigation.
WORK: Final[list[Place]] = [
    Place("/sandbox", marked("Sandbox"), "flask", demo=True),
]
DESK: Final[list[Place]] = [
    Place("/styleguide", marked("Components"), "model", demo=True),
]
_ICONS: Final = {
    "mine": "user",
    "unassigned": "inbox",
    "unanswered": "reply",
    "waiting": "s-wait",
    "overdue": "clock",
    "failed_sends": "alert",
    "snoozed": "moon",
    "mentions": "at",
    "assignee_away": "user",
    "all": "lines",
}
_RED: Final = frozenset({"failed_sends", "overdue"})
_lock = threading.Lock()
_kept: OrderedDict[UUID, tuple[object, dict[str, int | None]]] = OrderedDict()


def views_of(call: AnyCall) -> list[View]:
    """Return the caller's views in their order."""
    return views.all_of(Sight.of(call.caller), manages=Permission.views_manage in call.caller.permissions)


def of(call: AnyCall, *, demo: bool) -> list[Group]:
    """Return the navigation of the caller."""
    groups: list[Group] = []
    path = call.request.path
    if Permission.tickets_read in call.caller.permissions:
        seen = views_of(call)
        numbers = _counts(call, seen)
        shipped = [_view_link(view, numbers, path) for view in seen if view.scope == "shipped"]
        own = [_view_link(view, numbers, path) for view in seen if view.scope != "shipped"]
        groups.append(Group(_("Inbox"), shipped))
        if own:
            groups.append(Group(_("Views"), own))
    for title, places in ((_("Work"), WORK), (_("Desk"), DESK)):
        links = [_place_link(place, path) for place in places if _is_open(place, call, demo)]
        if links:
            groups.append(Group(title, links))
    return groups


def title_of(view: View) -> str:
    """Return the name of a view in the reader's language."""
    return texts.label(view.labels, view.name) if view.labels else view.name


def search_address(text: str) -> str:
    """Return the address of a search of all tickets."""
    return f"/inbox/all?{urlencode({'q': text})}"


def state_of(call: AnyCall) -> tuple[object, ...]:
    """Return a value that changes when the counts may change."""
    return (call.caller.key, reading.end(), int(clock.now().timestamp() // _COUNTS_FRESH_S))


def _is_open(place: Place, call: AnyCall, demo: bool) -> bool:
    if place.demo and not demo:
        return False
    if place.needs is not None and place.needs not in call.caller.permissions:
        return False
    return place.when is None or place.when(call)


def _place_link(place: Place, path: str) -> Link:
    here = path == place.address or path.startswith(place.address + "/")
    return Link(place.address, _(place.title), place.icon, key=place.key, here=here)


def _view_link(view: View, numbers: dict[str, int | None], path: str) -> Link:
    count = numbers.get(view.key)
    text = "" if not count else f"{counts.counted_max}+" if count > counts.counted_max else str(count)
    address = f"/inbox/{view.key}"
    bad = view.key in _RED and bool(count)
    return Link(address, title_of(view), _ICONS.get(view.key, "filter"), text, bad, here=path == address)


def _counts(call: AnyCall, seen: list[View]) -> dict[str, int | None]:
    """Return the counts of the views. The state is read before the counts, so a change in between makes them old."""
    state = (*state_of(call), tuple((view.key, view.version) for view in seen))
    with _lock:
        kept = _kept.get(call.caller.id)
        if kept is not None and kept[0] == state:
            return kept[1]
    found = counts.of(seen, Sight.of(call.caller))
    with _lock:
        _kept[call.caller.id] = (state, found)
        _kept.move_to_end(call.caller.id)
        if len(_kept) > _USERS_MAX:
            _kept.popitem(last=False)
    return found
