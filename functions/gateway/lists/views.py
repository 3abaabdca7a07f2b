"""/v1/views: saved filters of tickets, their tickets and their counts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from functions.gateway.lists.ticket_list import answer
from functions.gateway.sights import sight_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages, ticket_rows
from functions.views import representations as show
from functions.views.texts import Name, Word
from functions.views.ticket_rows import Column
from models.events.following import reading
from models.identity.rules import Permission
from models.kernel import clock, limits
from models.kernel.errors import Conflict, Invalid
from models.kernel.open_json import JsonObject
from models.ticket_lists.sorts import SortWord
from models.ticket_lists.views import commands, counts, queries
from models.ticket_lists.views.commands import Viewer, Wanted
from models.ticket_lists.views.view import StoredFilter, View

operations = Operations()

# -- limits ------------------------------------------------------------------------------------------------------------
counts_fresh_s = 30  # what changes counts without an event: a due time that passes, a member who joins a team

Columns = Annotated[list[Column], msgspec.Meta(max_length=60)]
Position = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Scope = Literal["own", "team", "all"]


class ViewBroken(Conflict):
    """The filter of the view names something that the desk does not have any more; change the view."""

    code = "view_broken"


class ViewShown(msgspec.Struct):
    """A view. `id` is the name of a shipped one, whose `labels` are its names by language. `scope` is shipped, own,
    team or all. `can_change`: the caller may change and delete it. `problem`: why the view finds nothing, or null.
    """

    id: str
    name: str
    labels: dict[str, str]
    scope: str
    team: str | None
    filter: StoredFilter
    columns: list[str]
    sort: str
    position: int
    can_change: bool
    problem: str | None
    version: int
    created_at: datetime | None
    updated_at: datetime | None


class ViewList(msgspec.Struct):
    """The caller's views in their order: the shipped ones, those of everyone, of teams, and the own ones."""

    items: list[ViewShown]


class NewView(msgspec.Struct, forbid_unknown_fields=True):
    """A view to create. `filter` has the filters of `GET /v1/tickets`; `me` and `mine` are the reader of the view.
    Without `columns`, lists have all of them. Views with smaller numbers of `position` come first. The scopes `team`,
    which needs `team`, and `all` need the permission views_manage.
    """

    name: Name
    filter: StoredFilter = msgspec.field(default_factory=StoredFilter)
    columns: Columns = []
    sort: SortWord = "-updated_at"
    scope: Scope = "own"
    team: Word | None = None
    position: Position = 100


class ViewChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values. `filter` replaces the whole filter."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    filter: StoredFilter | msgspec.UnsetType = msgspec.UNSET
    columns: Columns | msgspec.UnsetType = msgspec.UNSET
    sort: SortWord | msgspec.UnsetType = msgspec.UNSET
    scope: Scope | msgspec.UnsetType = msgspec.UNSET
    team: Word | msgspec.UnsetType | None = msgspec.UNSET
    position: Position | msgspec.UnsetType = msgspec.UNSET


class ViewTicketsQuery(msgspec.Struct, kw_only=True):
    """The paging of a view's tickets. `sort` and `fields` replace those of the view."""

    sort: SortWord | None = None
    fields: list[Column] = msgspec.field(default_factory=list)
    total: bool = False
    limit: pages.Limit = limits.page_size_default
    cursor: pages.Cursor | None = None


class ViewCount(msgspec.Struct):
    """The number of tickets of a view, up to 99; null with the `problem` of a view whose filter is broken."""

    view: str
    tickets: ticket_rows.Count | None
    problem: str | None


class ViewCounts(msgspec.Struct):
    """The counts of the caller's views, in the order of the views."""

    items: list[ViewCount]


def _manages(call: AnyCall) -> bool:
    return Permission.views_manage in call.caller.permissions


def _viewer(call: AnyCall) -> Viewer:
    return Viewer(sight_of(call), call.caller.actor, _manages(call))


def _view(call: AnyCall) -> View:
    return queries.find(call.params["view"], sight_of(call), manages=_manages(call))


def _shown(call: AnyCall, view: View) -> ViewShown:
    try:
        words = msgspec.convert(view.filter, StoredFilter)
    except msgspec.ValidationError:
        words = StoredFilter()
    return ViewShown(
        id=view.key,
        name=view.name,
        labels=dict(view.labels),
        scope=view.scope,
        team=view.team,
        filter=words,
        columns=list(view.columns),
        sort=view.sort,
        position=view.position,
        can_change=view.scope == "own" or (view.scope != "shipped" and _manages(call)),
        problem=view.problem(sight_of(call)),
        version=view.version,
        created_at=view.created_at,
        updated_at=view.updated_at,
    )


def _answer(call: AnyCall, view: View, status: int = 200, **headers: str) -> Answer:
    return Answer(_shown(call, view), status=status, headers=show.etag(view.version) | headers)


@operations.add("GET", "/v1/views", summary="List views", needs=Permission.tickets_read, answers={200: ViewList})
def list_views(call: Call) -> Answer:
    """The shipped views, those of everyone, those of the caller's teams, and the caller's own."""
    views = queries.all_of(sight_of(call), manages=_manages(call))
    return Answer(ViewList([_shown(call, view) for view in views]))


@operations.add(
    "POST",
    "/v1/views",
    summary="Create a view",
    needs=Permission.tickets_read,
    body=NewView,
    answers={201: ViewShown},
    problems=(409,),
)
def create_view(call: Call[NewView]) -> Answer:
    """A view of a team or of everyone needs the permission views_manage, and is audited."""
    made = commands.create(Wanted(**msgspec.structs.asdict(call.body)), _viewer(call))
    return _answer(call, made, 201, Location=f"/v1/views/{made.key}")


@operations.add(
    "GET",
    "/v1/views/counts",
    summary="Count the tickets of views",
    needs=Permission.tickets_read,
    answers={200: ViewCounts, 304: None},
)
def count_views(call: Call) -> Answer:
    """The counts of all views of the caller, up to 99 each. With the ETag of the last answer in If-None-Match, the
    answer is 304 as long as no event was logged, for at most 30 seconds.
    """
    sight, position = sight_of(call), reading.end()
    views = queries.all_of(sight, manages=_manages(call))
    # The position is read before the counts: a change in between makes the next answer new, not this one old.
    seen = [call.caller.key, position, int(clock.now().timestamp() // counts_fresh_s)]
    seen += [(view.key, view.version) for view in views]
    etag = f'"{hashlib.sha256(repr(seen).encode()).hexdigest()[:32]}"'
    if call.knows(etag):
        return Answer(status=304, headers={"ETag": etag})
    found = counts.of(views, sight)
    items = [
        ViewCount(
            view.key,
            None if (count := found[view.key]) is None else ticket_rows.count(count, counts.counted_max),
            view.problem(sight) if found[view.key] is None else None,
        )
        for view in views
    ]
    return Answer(ViewCounts(items), headers={"ETag": etag})


@operations.add(
    "GET",
    "/v1/views/{view}",
    summary="Get a view",
    needs=Permission.tickets_read,
    answers={200: ViewShown},
    problems=(404,),
)
def read_view(call: Call) -> Answer:
    """Finds the view by id, or a shipped one by name."""
    return _answer(call, _view(call))


@operations.add(
    "PATCH",
    "/v1/views/{view}",
    summary="Update a view",
    needs=Permission.tickets_read,
    body=ViewChanges,
    answers={200: ViewShown},
    problems=(404, 409),
    etag=True,
)
def change_view(call: Call[ViewChanges]) -> Answer:
    """A change of a shared view needs the permission views_manage. The event `view_updated` has the old values, so that
    another change can restore them.
    """
    expected = call.expected_version()
    given: JsonObject = msgspec.structs.asdict(call.body)
    changes = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    return _answer(call, commands.update(call.params["view"], changes, _viewer(call), expected_version=expected))


@operations.add(
    "DELETE",
    "/v1/views/{view}",
    summary="Delete a view",
    needs=Permission.tickets_read,
    answers={204: None},
    problems=(404, 409),
)
def delete_view(call: Call) -> Answer:
    """Deletes the view, not its tickets. A shared view needs the permission views_manage."""
    commands.delete(call.params["view"], _viewer(call))
    return Answer(status=204)


@operations.add(
    "GET",
    "/v1/views/{view}/tickets",
    summary="List the tickets of a view",
    needs=Permission.tickets_read,
    query=ViewTicketsQuery,
    answers={200: ticket_rows.TicketPage},
    problems=(404, 409),
)
def list_view_tickets(call: Call[None, ViewTicketsQuery]) -> Answer:
    """A page of the tickets that the view's filter finds and the caller sees, in the order of the view. A view whose
    filter names something that the desk does not have any more answers 409 `view_broken`.
    """
    view = _view(call)
    try:
        wanted = view.wanted(sight_of(call))
    except Invalid as error:
        raise ViewBroken(view.problem(sight_of(call)) or str(error)) from error
    call.query.fields = call.query.fields or ticket_rows.known(view.columns)
    sort = call.query.sort or view.sort
    return answer(call, wanted, call.query, sort=sort, of=f"view:{view.key}:{view.version}")
