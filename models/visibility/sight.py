"""The one rule of which tickets a caller sees.

A ticket is visible to everyone who may read tickets, unless its team has `visibility: members`. Then its members see
it, its assignee, its followers and the people whom a note mentions, and those who may see all tickets.

The rule is one template. It becomes a part of a hand-written statement, a node of a composed query, or a check of a
loaded ticket, so the three cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import Any, Final
from uuid import UUID

import peewee

from models.channels import accounts
from models.identity import roles
from models.identity.queries import User
from models.identity.rules import Permission, Principal
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.teams.tables import Team
from models.teams.visibility import OPEN_OR_MEMBER
from models.tickets import queries
from models.tickets.followers import FOLLOWED
from models.tickets.tables import Ticket

# The ticket's `{team}`, `{assignee}` and `{id}`; `{me}` is the user whose sight it is, `{named}` a list of teams.
_RULE: Final = f"({OPEN_OR_MEMBER} OR {{team}} IN {{named}} OR {{assignee}} = {{me}} OR {FOLLOWED})"
_PARTS: Final = tuple(Formatter().parse(_RULE))


@dataclass(frozen=True, slots=True)
class Sight:
    """The tickets and fields that a caller sees.

    `user_id`: the user whose memberships, assignments and followed tickets count; None for a caller that is no user.
    `role`: the role by which models guard fields. `teams`: teams whose tickets are visible by configuration.
    """

    user_id: UUID | None
    role: str
    sees_all: bool = False
    teams: tuple[str, ...] = ()

    @classmethod
    def of(cls, principal: Principal) -> Sight:
        """The sight of an authenticated caller. An API key sees what its owner sees."""
        return cls(principal.owner_id, str(principal.role), Permission.tickets_see_all in principal.permissions)

    @classmethod
    def of_user(cls, user: User) -> Sight:
        """The sight of a user who acts without a session, for instance from a chat."""
        rights = roles.rights_of(user.role)
        if rights is None:
            return cls(user.id, "agent")
        return cls(user.id, str(rights.role), Permission.tickets_see_all in rights.permissions)

    def condition(self, table: str = "tickets") -> tuple[str, database.Parameters]:
        """The rule as a part of a hand-written statement over `table`, with its values."""
        if self.sees_all:
            return "1 = 1", {}
        named, values = database.in_list("sight_team", self.teams)
        places = {"team": f"{table}.team", "assignee": f"{table}.assignee_id", "id": f"{table}.id"}
        return _RULE.format(me=":sight_user", named=named, **places), values | {"sight_user": self.user_id}

    def tickets(self) -> Any:
        """The rule as a condition of a composed query over Ticket."""
        if self.sees_all:
            return peewee.SQL("1 = 1")
        nodes: dict[str, object] = {
            "team": Ticket.team,
            "assignee": Ticket.assignee_id,
            "id": Ticket.id,
            "me": _bound(self.user_id),
            "named": peewee.NodeList([_bound(name) for name in self.teams or (None,)], glue=", ", parens=True),
        }
        found: list[Any] = []
        for text, name, _, _ in _PARTS:
            found.append(peewee.SQL(text))
            if name is not None:
                found.append(nodes[name])
        return peewee.NodeList(found, glue="")

    def about(self, ticket_id: Any) -> Any:
        """The condition of a composed query over rows that name a ticket in the column `ticket_id`, or none."""
        if self.sees_all:
            return peewee.SQL("1 = 1")
        # A value and not EXISTS: PostgreSQL answers an EXISTS under OR by a hash of all visible tickets, once a page.
        # IS NOT NULL, because the planner then expects most rows to be visible and does not compile the page (JIT).
        visible = Ticket.select(peewee.SQL("1")).where(Ticket.id == ticket_id, self.tickets())
        return ticket_id.is_null() | peewee.fn.NULLIF(visible, 0).is_null(False)


def _bound(value: object) -> Any:
    if value is None:
        return peewee.SQL("NULL")
    return peewee.SQL("%s" if database.is_postgres() else "?", (str(value),))


# The desk itself: no person, and no ticket is hidden.
DESK: Final = Sight(None, "automation", sees_all=True)


def find(reference: str, sight: Sight) -> Ticket:
    """The visible ticket of an id or number. Raises NotFound, also for a ticket that the caller may not see."""
    conditions, values = sight.condition()
    return queries.find(reference, conditions=conditions, values=values)


def merged_into(ticket_id: UUID, sight: Sight) -> list[Ticket]:
    """The visible tickets that were merged into a ticket, by number."""
    query = Ticket.select().where(Ticket.merged_into == ticket_id, sight.tickets())
    return [Ticket(**row) for row in database.rows(query.order_by(Ticket.number))]


def sees(sight: Sight, ticket: Ticket) -> bool:
    """Return True if a loaded ticket is visible. A ticket without a team costs no statement."""
    if sight.sees_all or ticket.team is None:
        return True
    named, values = database.in_list("sight_team", sight.teams)
    conditions = _RULE.format(
        team="CAST(:team AS text)", assignee=":assignee", id=":ticket", me=":sight_user", named=named
    )
    values |= {
        "team": ticket.team,
        "assignee": ticket.assignee_id,
        "ticket": ticket.id,
        "sight_user": sight.user_id,
    }
    return database.one(f"SELECT 1 AS one WHERE {conditions}", values) is not None


def sees_team(sight: Sight, team: str | None) -> bool:
    """Return True if the tickets of a team are visible, apart from single tickets by assignment or following."""
    if sight.sees_all or team is None or team in sight.teams:
        return True
    conditions = OPEN_OR_MEMBER.format(team="CAST(:team AS text)", me=":sight_user")
    values = {"team": team, "sight_user": sight.user_id}
    return database.one(f"SELECT 1 AS one WHERE {conditions}", values) is not None


def sees_every_team(sight: Sight) -> bool:
    """Return True if no team hides its tickets from the sight."""
    if sight.sees_all:
        return True
    hiding = Team.select(Team.name).where(Team.visibility == "members")
    return all(sees_team(sight, row["name"]) for row in database.rows(hiding))


def hidden_accounts(sight: Sight) -> set[tuple[str, str]]:
    """The channels and names of accounts whose team is hidden: an event of theirs that has no ticket yet belongs to it.

    Few accounts have a team, and a desk has few accounts.
    """
    if sight.sees_all:
        return set()
    found = [(account.channel, account.name, account.config.get("team")) for account in accounts.every()]
    return {(channel, name) for channel, name, team in found if not sees_team(sight, team)}


def sees_id(sight: Sight, ticket_id: UUID | None) -> bool:
    """Return True if the ticket of an id is visible; None (no ticket) is."""
    return ticket_id is None or bool(visible_ids(sight, {ticket_id}))


def visible_ids(sight: Sight, ticket_ids: set[UUID]) -> set[UUID]:
    """The ids of tickets that are visible, in one statement."""
    if not ticket_ids or sight.sees_all:
        return set(ticket_ids)
    rows = Ticket.select(Ticket.id).where(Ticket.id.in_(sorted(ticket_ids)), sight.tickets())
    return {row["id"] for row in database.rows(rows)}


def existing_ids(sight: Sight, ticket_ids: set[UUID]) -> set[UUID]:
    """The ids of tickets that exist and are visible, in one statement."""
    if not ticket_ids:
        return set()
    rows = Ticket.select(Ticket.id).where(Ticket.id.in_(sorted(ticket_ids)), sight.tickets())
    return {row["id"] for row in database.rows(rows)}


def require(sight: Sight, ticket_id: UUID | None, what: str, row_id: object) -> None:
    """Raise NotFound for a row of a ticket that is not visible, as for a row that does not exist."""
    if not sees_id(sight, ticket_id):
        raise NotFound(f"there is no {what} {row_id}")
