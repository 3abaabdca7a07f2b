"""Commands that change teams. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.identity import queries as identity
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid, PreconditionFailed
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.batch import as_json
from models.teams import queries
from models.teams.tables import TeamMember
from models.teams.visibility import Visibility

members_max = 500  # per team; every assignment reads the whole roster


def declare(name: str, label: Mapping[str, str], visibility: Visibility = "everyone") -> bool:
    """Create the team of a published file, or update its label and visibility; its members stay.

    Return True for a new team.
    """
    known = database.one("SELECT name FROM teams WHERE name = :name", name=name)
    database.execute(
        "INSERT INTO teams (name, label, visibility, created_at, updated_at)"
        " VALUES (:name, :label, :visibility, :now, :now)"
        " ON CONFLICT (name) DO UPDATE SET label = excluded.label, visibility = excluded.visibility",
        name=name,
        label=as_json(dict(label)),
        visibility=visibility,
        now=clock.now(),
    )
    return known is None


def set_members(name: str, user_ids: Sequence[UUID], *, expected_version: int | None) -> None:
    """Replace the members of a team; users who stay keep their place in the round robin.

    Raises NotFound, PreconditionFailed, or Invalid for a user who cannot take tickets.
    """
    team = queries.get(name)
    if expected_version is not None and team["version"] != expected_version:
        raise PreconditionFailed(f"If-Match: expected version {team['version']}, found {expected_version}")
    if len(user_ids) > members_max:
        raise Invalid([FieldProblem("/members", f"expected at most {members_max}, found {len(user_ids)}")])
    wrong = [
        FieldProblem(f"/members/{index}", "expected the id of an active user who works on tickets")
        for index, user_id in enumerate(user_ids)
        if not identity.can_take_tickets(user_id)
    ]
    if wrong:
        raise Invalid(wrong)
    for gone in set(team["members"]) - set(user_ids):
        database.execute("DELETE FROM team_members WHERE team = :team AND user_id = :user", team=name, user=gone)
    for user_id in user_ids:
        database.execute(
            "INSERT INTO team_members (team, user_id) VALUES (:team, :user) ON CONFLICT DO NOTHING",
            team=name,
            user=user_id,
        )
    database.execute(
        "UPDATE teams SET version = version + 1, updated_at = :now WHERE name = :name",
        name=name,
        now=clock.now(),
    )
    audit.record(
        AuditAction.team_members_set,
        "team",
        name,
        before={"members": sorted(team["members"])},
        after={"members": sorted(user_ids)},
    )


def lock_assignments() -> None:
    """Serialise automatic assignments until this transaction ends."""
    advisory_lock("assignment")


def note_assigned(user_id: UUID | str, at: datetime) -> None:
    """Record that a rule gave the user a ticket; the round robin then prefers the other members.

    The recorded instants follow the order of the assignments. `at` may be older than that of the assignment before: it
    is the instant at which the transaction began, which then waited for the other one.
    """
    lock_assignments()
    found = database.one("SELECT max(assigned_at) AS latest FROM team_members")
    latest = None if found is None else TeamMember.converted({"assigned_at": found["latest"]})["assigned_at"]
    if latest is not None and latest >= at:
        at = latest + timedelta(microseconds=1)
    database.execute("UPDATE team_members SET assigned_at = :at WHERE user_id = :user", at=at, user=user_id)
