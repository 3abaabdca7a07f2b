"""The readers and the editors of a text that agents share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.identity.rules import Permission, Principal
from models.kernel.errors import FieldProblem, Forbidden, Invalid
from models.teams import queries as teams


class Scope(StrEnum):
    """The readers of a text: its author, the members of a team, or everybody."""

    own = "own"
    team = "team"
    all = "all"


@dataclass(frozen=True, slots=True)
class Reach:
    """The texts that a caller sees, and whether the caller manages those of others.

    `user_id`: the user whose own texts count.
    """

    user_id: UUID
    teams: tuple[str, ...]
    sees_all_teams: bool
    manages: bool

    @classmethod
    def of(cls, principal: Principal) -> Reach:
        """The reach of an authenticated caller. An API key sees what its owner sees."""
        user_id = principal.owner_id
        return cls(
            user_id,
            teams.of_user(user_id),
            Permission.tickets_see_all in principal.permissions,
            Permission.texts_manage in principal.permissions,
        )

    def condition(self, table: Any) -> Any:
        """The condition of a composed query over a table with the columns `scope`, `user_id` and `team`."""
        found: Any = (table.scope == Scope.all) | ((table.scope == Scope.own) & (table.user_id == self.user_id))
        if self.sees_all_teams:
            return found | (table.scope == Scope.team)
        if self.teams:
            found |= (table.scope == Scope.team) & table.team.in_(list(self.teams))
        return found

    def check(self, scope: Scope, team: str | None) -> None:
        """Raise Forbidden or Invalid if the caller may not store a text with this scope."""
        if (team is not None) != (scope is Scope.team):
            expected = "the name of a team" if scope is Scope.team else "none: only the scope `team` has a team"
            raise Invalid([FieldProblem("/team", f"expected {expected}")])
        if scope is Scope.own:
            return
        if not self.manages:
            raise Forbidden("Texts of a team or of the whole desk need the permission `texts_manage`.")
        if team is not None:
            teams.get_or_invalid(team)
            if not self.sees_all_teams and team not in self.teams:
                raise Forbidden(f"You are no member of the team {team}.")
