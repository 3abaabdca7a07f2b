"""Tables of teams."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Team(Table):
    """Agents who share tickets. `visibility`: everyone, or members, who then alone see the team's tickets."""

    name = peewee.TextField(primary_key=True)
    label = JsonField()
    visibility = peewee.TextField(default="everyone")
    version = peewee.IntegerField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "teams"


class TeamMember(Table):
    """A member of a team. `assigned_at` is the time of the member's last ticket (round robin)."""

    team = peewee.TextField()
    user_id = IdField()
    assigned_at = InstantField(null=True)

    class Meta:
        table_name = "team_members"
        primary_key = peewee.CompositeKey("team", "user_id")


class Availability(Table):
    """The work that a user takes. `away_until`: no new tickets before that instant. `capacity`: the number of open
    tickets from which automatic assignment passes the user by; NULL: no bound.
    """

    user_id = IdField(primary_key=True)
    away_until = InstantField(null=True)
    capacity = peewee.IntegerField(null=True)
    updated_at = InstantField()

    class Meta:
        table_name = "availabilities"
