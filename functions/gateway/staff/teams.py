"""/v1/teams: teams and their members."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from models.identity.rules import Permission
from models.kernel.errors import Forbidden
from models.teams import assignment
from models.teams import commands as team_commands
from models.teams import queries as team_queries
from models.teams.visibility import Visibility
from models.visibility import sight
from models.workflow.instance import Strategy

operations = Operations()


class TeamShown(msgspec.Struct):
    """A team. `visibility`: everyone, or members, who then alone see the team's tickets.

    `assignment`: the strategy by which a ticket that enters the team is given to a member; `manual` gives it to nobody.
    """

    name: str
    label: dict[str, str]
    visibility: Visibility
    assignment: Strategy
    members: list[UUID]
    version: int


class Teams(msgspec.Struct):
    """All teams, by name."""

    items: list[TeamShown]


class Members(msgspec.Struct, forbid_unknown_fields=True):
    """The ids of all members of the team."""

    members: Annotated[list[UUID], msgspec.Meta(max_length=team_commands.members_max)]


@operations.add("GET", "/v1/teams", summary="List teams", needs=Permission.tickets_read, answers={200: Teams})
def list_teams(call: Call) -> Answer:
    """Returns the teams with their members, by name."""
    return Answer(Teams([_team(row) for row in team_queries.all_teams()]))


@operations.add(
    "GET",
    "/v1/teams/{team}",
    summary="Get a team",
    needs=Permission.tickets_read,
    answers={200: TeamShown},
    problems=(404,),
)
def read_team(call: Call) -> Answer:
    """With its members."""
    row = team_queries.get(call.params["team"])
    return Answer(_team(row), headers=show.etag(row["version"]))


@operations.add(
    "PUT",
    "/v1/teams/{team}/members",
    summary="Replace a team's members",
    needs=Permission.users_manage,
    body=Members,
    answers={200: TeamShown},
    problems=(404,),
    etag="optional",
)
def set_members(call: Call[Members]) -> Answer:
    """Members are active users who can work on tickets. The members of a team with `visibility: members` are chosen by
    one of them, or by a caller who sees all tickets.

    With If-Match (optional), a team that was changed since that version answers 412.
    """
    expected = call.optional_version()
    name = call.params["team"]
    if not sight.sees_team(sight_of(call), name):
        raise Forbidden(f"The tickets of team {name} are visible to its members; one of them chooses its members.")
    team_commands.set_members(name, call.body.members, expected_version=expected)
    row = team_queries.get(name)
    return Answer(_team(row), headers=show.etag(row["version"]))


def _team(row: team_queries.TeamRow) -> TeamShown:
    strategy = assignment.strategy_of(row["name"])
    return TeamShown(row["name"], row["label"], row["visibility"], strategy, row["members"], row["version"])
