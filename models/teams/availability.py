"""The absence and the capacity of users. Commands join the caller's transaction.

A user who is away gets no new tickets; the user's tickets stay, and the team sees them. A capacity bounds automatic
assignment only: a person may give more to a colleague on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.kernel import clock
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.teams import commands, queries
from models.teams.tables import Availability
from models.workflow.instance import Candidate

capacity_max: Final = 1_000  # open tickets of one person; more is no bound


class AssigneeAway(Conflict):
    """The user is away and takes no new tickets."""

    code = "assignee_away"


@dataclass(frozen=True, slots=True)
class Work:
    """The work that a user takes now. `away_until` is None for a user who is not away."""

    away_until: datetime | None = None
    capacity: int | None = None


def of_user(user_id: UUID) -> Work:
    """Return the work that a user takes; an absence that is over counts as none."""
    row = first(Availability.select().where(Availability.user_id == user_id))
    if row is None:
        return Work()
    until = row["away_until"]
    return Work(until if until is not None and until > clock.now() else None, row["capacity"])


def away() -> Any:
    """Return the query of the ids of users who are away now."""
    return Availability.select(Availability.user_id).where(Availability.away_until > clock.now())


def names_and_absences(user_ids: set[UUID]) -> dict[UUID, tuple[str, datetime | None]]:
    """Read the names of several users by id, with the end of the absence of those who are away, in one statement."""
    places, values = database.in_list("id", sorted(user_ids))
    rows = database.run(
        "SELECT u.id AS user_id, u.name, a.away_until FROM users AS u LEFT JOIN availabilities AS a ON a.user_id = u.id"
        f" WHERE u.id IN {places}",
        values,
    )
    now = clock.now()
    return {
        row["user_id"]: (row["name"], until if (until := row["away_until"]) is not None and until > now else None)
        for row in map(Availability.converted, rows)
    }


def store(user_id: UUID, wanted: Work) -> None:
    """Replace the absence and the capacity of a user."""
    before, now = of_user(user_id), clock.now()
    row = {"away_until": wanted.away_until, "capacity": wanted.capacity, "updated_at": now}
    Availability.insert(user_id=user_id, **row).on_conflict(
        conflict_target=[Availability.user_id], update=row
    ).execute()
    if before != wanted:
        audit.record(AuditAction.user_updated, "user", user_id, before=_told(before), after=_told(wanted))


def _told(work: Work) -> dict[str, object]:
    return {
        "away_until": None if work.away_until is None else clock.rfc3339(work.away_until),
        "capacity": work.capacity,
    }


def check_not_away(user_id: UUID) -> None:
    """Raise AssigneeAway for a user who is away."""
    until = of_user(user_id).away_until
    if until is not None:
        raise AssigneeAway(f"{AssigneeAway.__doc__} The absence ends at {clock.rfc3339(until)}.")


def assignable(team: str | None, compared: bool = False) -> list[Candidate]:
    """Return the roster of a team, each candidate with the reason why automatic assignment passes it by.

    If the choice compares the candidates, or one of them has a capacity, other assignments wait for this transaction:
    two tickets at once would both see the numbers from before either is assigned.
    """
    if compared:
        commands.lock_assignments()
    found = queries.roster(team)
    work = _work_of([UUID(one.id) for one in found])
    if not compared and any(one.capacity is not None for one in work.values()):
        commands.lock_assignments()
        found = queries.roster(team)
    return [_judged(one, work.get(UUID(one.id), Work())) for one in found]


def _work_of(user_ids: list[UUID]) -> dict[UUID, Work]:
    if not user_ids:
        return {}
    now = clock.now()
    rows = database.rows(Availability.select().where(Availability.user_id.in_(user_ids)))
    return {
        row["user_id"]: Work(
            row["away_until"] if row["away_until"] is not None and row["away_until"] > now else None, row["capacity"]
        )
        for row in rows
    }


def _judged(one: Candidate, work: Work) -> Candidate:
    reason = ""
    if work.away_until is not None:
        reason = "away"
    elif work.capacity is not None and one.open_tickets >= work.capacity:
        reason = "at capacity"
    return Candidate(one.id, one.name, one.email, one.open_tickets, one.assigned_at, reason)
