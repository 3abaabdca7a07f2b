"""The people who work at the desk, as any colleague may see them: name and presence, no address and no role."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from models.identity import roles
from models.identity.rules import Permission
from models.identity.tables import UserRow
from models.kernel import clock, limits
from models.kernel.storage import database

Presence = Literal["online", "offline"]


@dataclass(frozen=True, slots=True)
class Colleague:
    """An active user. `presence` is online if a session made a request in the last `limits.presence_s`."""

    id: UUID
    name: str
    presence: Presence


def all_active() -> list[Colleague]:
    """List the active users by name."""
    rows = database.run(
        "SELECT u.id, u.name, (SELECT max(COALESCE(s.last_seen_at, s.refreshed_at)) FROM sessions AS s"
        " WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS seen_at FROM users AS u WHERE u.active"
        " ORDER BY u.name, u.id LIMIT :most",
        most=limits.colleagues_max,
    )
    since = clock.now() - timedelta(seconds=limits.presence_s)
    found = []
    for row in rows:
        seen_at = database.instant(row["seen_at"])
        presence: Presence = "online" if seen_at is not None and seen_at >= since else "offline"
        found.append(Colleague(UserRow.converted(row)["id"], row["name"], presence))
    return found


@dataclass(frozen=True, slots=True)
class Reader:
    """An active user who can read tickets, with the names by which a note mentions the user."""

    id: UUID
    name: str
    email: str


def readers_of_tickets() -> list[Reader]:
    """List the active users who can read tickets, by id."""
    condition, values = roles.holders(Permission.tickets_read)
    rows = database.run(
        f"SELECT u.id, u.name, u.email FROM users AS u WHERE u.active AND {condition} ORDER BY u.id LIMIT :most",
        values,
        most=limits.colleagues_max,
    )
    return [Reader(UserRow.converted(row)["id"], row["name"], row["email"]) for row in rows]


def active_addresses() -> set[str]:
    """Return the e-mail addresses of the active users."""
    return {row["email"] for row in database.rows(UserRow.select(UserRow.email).where(UserRow.active))}


def names(user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of users by id, also of inactive ones."""
    if not user_ids:
        return {}
    rows = database.rows(UserRow.select(UserRow.id, UserRow.name).where(UserRow.id.in_(list(user_ids))))
    return {row["id"]: row["name"] for row in rows}
