"""The list of tickets that the inbox shows, also beside an open ticket.

A list is a view with further filters. All of it is in the address: `/inbox/mine?priority=high&sort=created_at`. A
ticket that is opened from a list keeps the list in its own address: `/t/1200?in=mine&priority=high`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from functions.console.frame import formats, navigation
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked
from functions.console.inbox import acts, states, suggestions
from functions.http import bodies
from functions.http.operations import AnyCall
from functions.views import pages, ticket_rows
from models.bulk.selection import Selection
from models.identity.rules import Permission
from models.kernel.errors import Invalid, NotFound
from models.kernel.open_json import JsonObject
from models.search import finding, searching
from models.search.syntax.parsing import query_chars_max
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import listed
from models.ticket_lists.resolving import resolve
from models.ticket_lists.sorts import SORTS, SortWord
from models.ticket_lists.views import queries as views
from models.ticket_lists.views.view import StoredFilter, View
from models.ticket_lists.words import FilterWords
from models.visibility.sight import Sight

# -- limits ------------------------------------------------------------------------------------------------------------
rows_max: Final = 50  # of one page; three screens of comfortable rows

FIRST: Final = "mine"
formats.FILTERS.update(states.FILTERS)
_COLUMNS: Final = ("last_message", "unread", "present", "failed_send")


class PaneQuery(FilterWords, kw_only=True):
    """The filters, the query, the order and the page of a list. `within`: the view, in the address of a ticket."""

    q: Annotated[str, msgspec.Meta(max_length=query_chars_max)] = ""
    sort: SortWord | None = None
    cursor: pages.Cursor | None = None
    within: Annotated[str, msgspec.Meta(max_length=60)] | None = msgspec.field(default=None, name="in")


@dataclass(slots=True)
class Pane:
    """A page of a list. `problem`: why the list is empty although it should not be. `kept`: the parameters of the
    address that describe the list, without the page.
    """

    view: View
    title: str
    query: PaneQuery
    rows: Sequence[Any]
    next_cursor: str | None
    sort: str
    kept: dict[str, list[str]]
    problem: str = ""
    choices: acts.Choices | None = None
    operators: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the list."""
        return self.to()

    def to(self, **changes: Any) -> str:
        """Return the address of the list with other parameters; None removes one."""
        return _address(f"/inbox/{self.view.key}", {**self.kept, **changes})

    def ticket(self, row: Any) -> str:
        """Return the address of a ticket of the list."""
        return _address(f"/t/{row.number}", {"in": [self.view.key], **self.kept})

    def having(self, name: str, value: str) -> str:
        """Return the address of the list with one more value of a filter, or without it if the list has it."""
        values = self.kept.get(name, [])
        rest = [one for one in values if one != value] if value in values else [*values, value]
        return self.to(**{name: rest or None})

    def has(self, name: str, value: str) -> bool:
        """Return True if the reader added this filter."""
        return value in self.kept.get(name, [])

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """The orders: text, address, and True for the current one."""
        return [(_(text), self.to(sort=word), word == self.sort) for word, text in _SORTS]

    @property
    def within(self) -> str:
        """The list as the query of a ticket's address."""
        return _address("", {"in": [self.view.key], **self.kept}).lstrip("?")

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters that the reader added: the text of each, and the address without it."""
        found = []
        for name, values in self.kept.items():
            if name in ("sort", "q"):
                continue
            for value in values:
                rest = [one for one in values if one != value]
                found.append((f"{name}:{value}", self.to(**{name: rest or None})))
        return found


def of(
    call: AnyCall, *, key: str | None = None, selected: UUID | None = None, asked: PaneQuery | None = None
) -> Pane | None:
    """Return the list of the address; None for a ticket that was not opened from a list. `asked`: its parameters, of a
    page that has further ones.
    """
    query: PaneQuery = asked if asked is not None else bodies.query(call.request, PaneQuery)
    wanted = key or query.within
    if wanted is None or Permission.tickets_read not in call.caller.permissions:
        return None
    view = _view(call, wanted)
    return _pane(call, view, query, selected)


def _view(call: AnyCall, key: str) -> View:
    manages = Permission.views_manage in call.caller.permissions
    return views.find(key, Sight.of(call.caller), manages=manages)


def _pane(call: AnyCall, view: View, query: PaneQuery, selected: UUID | None) -> Pane:
    own = _own_words(query)
    kept = _kept(own, query)
    sort = query.sort or (view.sort if view.sort in SORTS else "-updated_at")
    pane = Pane(view, navigation.title_of(view), query, (), None, sort, kept, operators=suggestions.operators())
    try:
        rows, pane.next_cursor = _rows(call, view, own, query, sort)
    except Invalid as error:
        pane.problem = "; ".join(f"{one.path.lstrip('/?')}: {one.message}" for one in error.problems)
        return pane
    tickets = [row.ticket for row in rows]
    shown = ticket_rows.listed(tickets, (*_OWN, *_COLUMNS), role=call.caller.role, reader=call.caller.owner_id)
    pane.rows = shown
    if Permission.tickets_bulk in call.caller.permissions:
        pane.choices = acts.choices(call, shown)
    return pane


def selection(wanted: tuple[AnyCall, str]) -> Selection:
    """Return every ticket of a list for a bulk change; the request has the parameters of the list."""
    call, key = wanted
    query: PaneQuery = bodies.query(call.request, PaneQuery)
    view = _view(call, key)
    own = _own_words(query)
    filters, search = _wanted(call, view, own, query)
    source: JsonObject = {**view.filter, **own, **({"q": query.q} if query.q.strip() else {})}
    return Selection(filter=filters if search is None else search.wanted, search=search, source=source)


def _wanted(
    call: AnyCall, view: View, own: Mapping[str, Any], query: PaneQuery
) -> tuple[TicketFilter, finding.Search | None]:
    """Return the filter of a list, and its search if it has a query. Raises Invalid."""
    sight = Sight.of(call.caller)
    try:
        words = msgspec.convert({**view.filter, **own}, StoredFilter)
    except msgspec.ValidationError as error:
        raise NotFound(f"the view {view.name!r} cannot be read") from error
    wanted = resolve(words, sight)
    return wanted, searching.read(query.q, wanted=wanted, sight=sight).search if query.q.strip() else None


def _rows(
    call: AnyCall, view: View, own: Mapping[str, Any], query: PaneQuery, sort: str
) -> tuple[Sequence[Any], str | None]:
    sight = Sight.of(call.caller)
    wanted, search = _wanted(call, view, own, query)
    name = f"inbox:{sort}"
    after = pages.decode(query.cursor, name, pages.optional(_KINDS[SORTS[sort].kind]), UUID)
    read = partial(listed, wanted, sight=sight) if search is None else partial(finding.page, search)
    found = read(sort=sort, after=(after[0], after[1]) if after else None, limit=rows_max + 1)
    return pages.cut(found, rows_max, name, lambda row: (pages.optional_text(row.position[0]), row.position[1]))


def _own_words(query: PaneQuery) -> JsonObject:
    """Return the filters that the address adds to those of the view."""
    shown: JsonObject = msgspec.to_builtins(query)
    return {name: value for name, value in shown.items() if name in StoredFilter.__struct_fields__}


def _kept(own: Mapping[str, Any], query: PaneQuery) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in own.items():
        if isinstance(value, dict):
            found.update({f"{name}.{member}": list(map(str, values)) for member, values in value.items()})
        elif isinstance(value, bool):
            found[name] = [str(value).lower()]
        else:
            found[name] = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if query.q.strip():
        found["q"] = [query.q.strip()]
    if query.sort is not None:
        found["sort"] = [query.sort]
    return found


def _address(path: str, parameters: Mapping[str, Any]) -> str:
    given = {name: [value] if isinstance(value, str) else value for name, value in parameters.items() if value}
    text = urlencode([(name, ",".join(values)) for name, values in given.items()], safe=":,")
    return f"{path}?{text}" if text else path


_SORTS: Final = (
    ("-updated_at", marked("Changed last")),
    ("unanswered_since", marked("Waiting longest")),
    ("next_due_at", marked("Due first")),
    ("-priority", marked("Most urgent")),
    ("-created_at", marked("Newest")),
    ("created_at", marked("Oldest")),
)
_KINDS: Final[JsonObject] = {"instant": pages.instant, "number": pages.number, "text": pages.text}
_OWN: Final = (
    "number",
    "title",
    "type",
    "priority",
    "state",
    "category",
    "workflow",
    "workflow_version",
    "requester",
    "assignee",
    "channel",
    "team",
    "tags",
    "next_due_at",
    "updated_at",
    "created_at",
    "last_message_at",
    "first_response_at",
    "snoozed_until",
    "binned_as",
    "message_count",
    "version",
)
