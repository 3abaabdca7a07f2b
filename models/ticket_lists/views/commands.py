"""Create, change and delete views. Commands join the caller's transaction.

A shared view (of a team or of everyone) has events and audit entries, because it changes the work of others. An own
view has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from models.events import history
from models.events.commands import Actor
from models.events.desk_payloads import ViewCreated, ViewDeleted, ViewUpdated
from models.kernel import clock
from models.kernel.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import first, for_update
from models.teams import queries as teams
from models.ticket_lists.views import queries
from models.ticket_lists.views.tables import TicketView
from models.ticket_lists.views.view import SHIPPED, Scope, StoredFilter, View
from models.visibility.sight import Sight, sees_team

# -- limits ------------------------------------------------------------------------------------------------------------
own_max: Final = 30  # of one person: each is counted at every poll of the counts
shared_max: Final = 60  # of everyone and of all teams together, for the same reason

_FIELDS: Final = ("name", "scope", "team", "filter", "columns", "sort", "position")


class ShippedView(Conflict):
    """The shipped views cannot be changed; create a view of your own."""

    code = "shipped_view"


class SharedView(Forbidden):
    """A view of a team or of everyone needs the permission views_manage."""

    code = "shared_view"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller. `manages`: has the permission views_manage."""

    sight: Sight
    actor: Actor
    manages: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The properties of a view. `position`: smaller numbers come first."""

    name: str
    scope: Scope
    team: str | None
    filter: StoredFilter
    columns: Sequence[str]
    sort: str
    position: int


def create(wanted: Wanted, viewer: Viewer) -> View:
    """Create a view. Raises Invalid, SharedView, or Conflict beyond the bound."""
    owner_id = _owner(wanted, viewer)
    _check(wanted, viewer)
    advisory_lock("ticket_views")  # a count and an insert; otherwise two requests pass the bound together
    _check_bound(wanted.scope, owner_id)
    view_id, now = new_id(), clock.now()
    TicketView.insert(
        id=view_id,
        **_columns(wanted),
        owner_id=owner_id,
        version=1,
        created_at=now,
        updated_at=now,
    ).execute()
    if wanted.scope != "own":
        created = ViewCreated(name=wanted.name, scope=wanted.scope, team=wanted.team)
        history.append("view", view_id, [created], actor=viewer.actor, at=now)
    return queries.find(str(view_id), viewer.sight, manages=viewer.manages)


def update(key: str, changes: Mapping[str, Any], viewer: Viewer, *, expected_version: int | None) -> View:
    """Change a view. Raises NotFound, Invalid, SharedView, ShippedView, PreconditionFailed or Conflict."""
    before = _locked(key, viewer)
    if expected_version is not None and expected_version != before.version:
        raise PreconditionFailed()
    now_wanted = _changed(before, changes)
    owner_id = _owner(now_wanted, viewer)
    _check(now_wanted, viewer)
    old, new = _shown(before), _shown_of(now_wanted)
    changed = {name: {"from": old[name], "to": new[name]} for name in _FIELDS if old[name] != new[name]}
    if not changed:
        return before
    if before.scope != now_wanted.scope:
        advisory_lock("ticket_views")
        _check_bound(now_wanted.scope, owner_id)
    now, view_id = clock.now(), UUID(before.key)
    TicketView.update(**_columns(now_wanted), owner_id=owner_id, version=TicketView.version + 1, updated_at=now).where(
        TicketView.id == view_id
    ).execute()
    if "own" not in (before.scope, now_wanted.scope) or before.scope != now_wanted.scope:
        history.append("view", view_id, [ViewUpdated(changes=changed)], actor=viewer.actor, at=now)
    return queries.find(key, viewer.sight, manages=viewer.manages)


def delete(key: str, viewer: Viewer) -> None:
    """Delete a view. Raises NotFound, SharedView or ShippedView."""
    view = _locked(key, viewer)
    if view.scope != "own":
        gone = {name: {"from": value, "to": None} for name, value in _shown(view).items()}
        history.append("view", UUID(key), [ViewDeleted(changes=gone)], actor=viewer.actor, at=clock.now())
    TicketView.delete().where(TicketView.id == UUID(key)).execute()


def give_all(user_id: UUID, to: UUID) -> int:
    """Give a user's own views to another user; return their number. The receiver may then have more than the bound."""
    own = (TicketView.scope == "own") & (TicketView.owner_id == user_id)
    return int(TicketView.update(owner_id=to).where(own).execute())


def remove_all(user_id: UUID) -> int:
    """Remove the own views of a user who leaves; return their number."""
    own = (TicketView.scope == "own") & (TicketView.owner_id == user_id)
    return int(TicketView.delete().where(own).execute())


def _locked(key: str, viewer: Viewer) -> View:
    if key in SHIPPED:
        raise ShippedView()
    view = queries.find(key, viewer.sight, manages=viewer.manages)
    if view.scope != "own" and not viewer.manages:
        raise SharedView()
    if first(for_update(TicketView.select(TicketView.id).where(TicketView.id == UUID(key)))) is None:
        raise NotFound(f"there is no view {key!r}")
    return queries.find(key, viewer.sight, manages=viewer.manages)


def _owner(wanted: Wanted, viewer: Viewer) -> UUID | None:
    """Return the owner of an own view. Raises SharedView or Invalid."""
    if wanted.scope != "own":
        if not viewer.manages:
            raise SharedView()
        return None
    if viewer.sight.user_id is None:
        raise Invalid([FieldProblem("/scope", "expected all or team; the caller is no user")])
    return viewer.sight.user_id


def _check(wanted: Wanted, viewer: Viewer) -> None:
    if (wanted.scope == "team") != (wanted.team is not None):
        expected = "expected a team" if wanted.scope == "team" else "expected none; only a view of a team has one"
        raise Invalid([FieldProblem("/team", expected)])
    if wanted.team is not None:
        teams.get_or_invalid(wanted.team)
        if not sees_team(viewer.sight, wanted.team):
            raise Invalid([FieldProblem("/team", "expected a team whose tickets you see")])
    if wanted.filter.requester_address:
        # A stored address would outlive the erasure of its owner.
        raise Invalid([FieldProblem("/filter/requester_address", "expected `requester`, the id, in a saved view")])
    View("", wanted.name, wanted.scope, _words(wanted.filter), wanted.sort).wanted(viewer.sight)


def _check_bound(scope: Scope, owner_id: UUID | None) -> None:
    if scope == "own":
        if owner_id is not None and queries.count_own(owner_id) >= own_max:
            raise Conflict(f"You have {own_max} views, the maximum; delete one first.")
    elif TicketView.select().where(TicketView.scope != "own").count() >= shared_max:
        raise Conflict(f"There are {shared_max} shared views, the maximum; delete one first.")


def _words(words: StoredFilter) -> JsonObject:
    return dict(msgspec.to_builtins(words))


def _columns(wanted: Wanted) -> JsonObject:
    shown = _shown_of(wanted)
    return {"columns_shown": shown.pop("columns"), **shown}


def _shown_of(wanted: Wanted) -> JsonObject:
    return {
        **{name: getattr(wanted, name) for name in _FIELDS},
        "filter": _words(wanted.filter),
        "columns": list(wanted.columns),
    }


def _shown(view: View) -> JsonObject:
    return {name: getattr(view, name) for name in _FIELDS}


def _changed(view: View, changes: Mapping[str, Any]) -> Wanted:
    """Return the view's properties after changes. Raises Invalid if a broken filter stays."""
    kept = _shown(view)
    if "filter" not in changes:
        try:
            kept["filter"] = msgspec.convert(view.filter, StoredFilter)
        except msgspec.ValidationError as error:
            raise Invalid([FieldProblem("/filter", f"{error}; send another filter")]) from error
    return Wanted(**{**kept, **changes})
