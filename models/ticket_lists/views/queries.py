"""The views of a caller."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.kernel.errors import NotFound
from models.kernel.ids import parse_id
from models.kernel.storage import database
from models.teams import queries as teams
from models.ticket_lists.views.tables import TicketView
from models.ticket_lists.views.view import SHIPPED, View
from models.visibility.sight import Sight, sees_team


def all_of(sight: Sight, *, manages: bool) -> list[View]:
    """Return the caller's views in their order: the shipped ones, then those of everyone, of teams, and the own ones.

    `manages`: the caller manages shared views, and sees those of every team that they see.
    """
    rows = database.rows(_visible(sight, manages=manages).order_by(TicketView.position, TicketView.id))
    order = ("all", "team", "own")
    shown = [_view(row) for row in rows if _sees(sight, row)]
    return [*SHIPPED.values(), *sorted(shown, key=lambda view: order.index(view.scope))]


def find(key: str, sight: Sight, *, manages: bool) -> View:
    """Return one of the caller's views. Raises NotFound, also for a view of somebody else."""
    if key in SHIPPED:
        return SHIPPED[key]
    view_id = parse_id(key)
    if view_id is not None:
        for row in database.rows(_visible(sight, manages=manages).where(TicketView.id == view_id)):
            if _sees(sight, row):
                return _view(row)
    raise NotFound(f"there is no view {key[:60]!r}")


def count_own(user_id: UUID) -> int:
    """Return the number of a user's own views."""
    return int(TicketView.select().where(TicketView.scope == "own", TicketView.owner_id == user_id).count())


def _visible(sight: Sight, *, manages: bool) -> Any:
    rows = TicketView.scope == "all"
    if sight.user_id is not None:
        rows |= (TicketView.scope == "own") & (TicketView.owner_id == sight.user_id)
        rows |= (TicketView.scope == "team") & TicketView.team.in_(list(teams.of_user(sight.user_id)) or [""])
    if manages:
        rows |= TicketView.scope == "team"
    return TicketView.select().where(rows)


def _sees(sight: Sight, row: database.Row) -> bool:
    """Return True unless the view is of a team whose tickets are hidden from the caller."""
    return row["scope"] != "team" or sees_team(sight, row["team"])


def _view(row: database.Row) -> View:
    return View(
        key=str(row["id"]),
        name=row["name"],
        scope=row["scope"],
        filter=row["filter"],
        sort=row["sort"],
        columns=row["columns_shown"],
        owner_id=row["owner_id"],
        team=row["team"],
        position=row["position"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
