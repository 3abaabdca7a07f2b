"""Queries for teams and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypedDict, cast
from uuid import UUID

from models.identity import roles
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.storage import database
from models.teams.tables import Team, TeamMember
from models.workflow.instance import Candidate


class TeamRow(TypedDict):
    """A team with the ids of its members."""

    name: str
    label: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime
    visibility: Literal["everyone", "members"]
    members: list[UUID]


def all_teams() -> list[TeamRow]:
    """List every team by name, with its members' ids."""
    members: dict[str, list[UUID]] = {}
    for member in TeamMember.select().order_by(TeamMember.team, TeamMember.user_id):
        members.setdefault(member.team, []).append(member.user_id)
    teams = Team.select().order_by(Team.name)
    return [cast(TeamRow, team.row() | {"members": members.get(team.name, [])}) for team in teams]


def get(name: str) -> TeamRow:
    """Read one team. Raises NotFound."""
    for team in all_teams():
        if team["name"] == name:
            return team
    raise NotFound(f"there is no team {name[:60]!r}")


def get_or_invalid(name: str) -> TeamRow:
    """Read the team that a caller named. Raises Invalid if it is unknown."""
    try:
        return get(name)
    except NotFound as error:
        known = ", ".join(team["name"] for team in all_teams()) or "none yet"
        raise Invalid([FieldProblem("/team", f"expected a team ({known}), found {name[:60]!r}")]) from error


def of_user(user_id: UUID | str) -> tuple[str, ...]:
    """List the names of the teams that a user belongs to, in the order of names."""
    rows = database.run("SELECT team FROM team_members WHERE user_id = :id ORDER BY team", id=user_id)
    return tuple(row["team"] for row in rows)


def roster(team: str | None) -> list[Candidate]:
    """List the active users who can take tickets, of one team or of the whole desk.

    Each candidate has the fields that the choice of an assignee needs.
    """
    condition, values = roles.holders(Permission.tickets_write)
    where = "" if team is None else " AND u.id IN (SELECT m.user_id FROM team_members AS m WHERE m.team = :team)"
    rows = database.run(
        "SELECT u.id, u.name, u.email, (SELECT count(*) FROM tickets AS t WHERE t.assignee_id = u.id"
        " AND t.category NOT IN ('done', 'closed')) AS open_tickets,"
        " (SELECT max(m.assigned_at) FROM team_members AS m WHERE m.user_id = u.id AND (m.team = :team OR"
        " CAST(:team AS text) IS NULL))"
        " AS assigned_at FROM users AS u WHERE u.active AND u.ready_at IS NOT NULL"
        f" AND {condition}{where} ORDER BY u.id",
        values,
        team=team,
    )
    return [
        Candidate(
            str(row["id"]),
            row["name"],
            row["email"],
            int(row["open_tickets"]),
            row["assigned_at"],
        )
        for row in map(TeamMember.converted, rows)
    ]
