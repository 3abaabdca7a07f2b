"""/v1/colleagues: the people who work at the desk, for everybody who works with them."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.identity import colleagues
from models.identity.rules import Permission
from models.teams import queries as teams

operations = Operations()


class ColleagueShown(msgspec.Struct):
    """A colleague. `presence` is `online` or `offline`."""

    id: UUID
    name: str
    presence: str
    teams: list[str]


class ColleagueList(msgspec.Struct):
    """The active users by name."""

    items: list[ColleagueShown]


@operations.add(
    "GET",
    "/v1/colleagues",
    summary="List colleagues",
    needs=Permission.colleagues_read,
    answers={200: ColleagueList},
)
def list_colleagues(call: Call) -> Answer:
    """Returns active users by name, without addresses and roles.

    A colleague is online for five minutes after the last request.
    """
    members = {team["name"]: set(team["members"]) for team in teams.all_teams()}
    items = [
        ColleagueShown(one.id, one.name, one.presence, [team for team, ids in members.items() if one.id in ids])
        for one in colleagues.all_active()
    ]
    return Answer(ColleagueList(items))
