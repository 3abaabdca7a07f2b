"""The part of the visibility rule that depends on a ticket's team, as text of a SQL condition."""

from __future__ import annotations

from typing import Final, Literal

Visibility = Literal["everyone", "members"]
VISIBILITIES: Final[tuple[Visibility, ...]] = ("everyone", "members")

# `{team}` and `{me}` are replaced by columns or bound values; models/visibility/sight.py has the whole rule. A ticket
# without a team, and one whose team is not declared, is everyone's.
OPEN_OR_MEMBER: Final = (
    "{team} IS NULL"
    " OR NOT EXISTS (SELECT 1 FROM teams AS v WHERE v.name = {team} AND v.visibility = 'members')"
    " OR EXISTS (SELECT 1 FROM team_members AS m WHERE m.team = {team} AND m.user_id = {me})"
)
