"""Read requesters."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from models.kernel import database
from models.kernel.batch import from_json
from models.kernel.errors import NotFound

_SELECT = "SELECT id, name, locale, time_zone, version, merged_into, erased_at, created_at FROM requesters"


def get(requester_id: UUID) -> dict[str, Any]:
    """A requester with identities. Raises NotFound."""
    row = database.one(f"{_SELECT} WHERE id = :id", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return _with_identities([row])[0]


def page(*, text: str | None, blocked: bool | None, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Requesters, newest first, before an id; those merged into others are left out. `text`: part of a name or address."""
    wanted = ["merged_into IS NULL"]
    values: dict[str, Any] = {"limit": limit}
    like = "ILIKE" if database.is_postgres() else "LIKE"
    if before is not None:
        wanted.append("id < :before")
        values["before"] = before
    if text is not None:
        values["text"] = "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
        mine = "SELECT 1 FROM identities AS i WHERE i.requester_id = requesters.id AND i.address"
        wanted.append(f"(name {like} :text ESCAPE '\\' OR EXISTS ({mine} {like} :text ESCAPE '\\'))")
    if blocked is not None:
        some = "EXISTS (SELECT 1 FROM identities AS i WHERE i.requester_id = requesters.id AND i.blocked_at IS NOT NULL)"
        wanted.append(some if blocked else f"NOT {some}")
    conditions = " AND ".join(wanted)
    return _with_identities(
        database.run(f"{_SELECT} WHERE {conditions} ORDER BY id DESC LIMIT :limit", values)
    )


def _with_identities(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id: dict[str, dict[str, Any]] = {}
    for row in rows:
        row["id"] = UUID(str(row["id"]))
        row["merged_into"] = None if row["merged_into"] is None else UUID(str(row["merged_into"]))
        row["created_at"], row["erased_at"] = (
            database.instant(row["created_at"]),
            database.instant(row["erased_at"]),
        )
        row["identities"] = []
        by_id[str(row["id"])] = row
    places, values = database.in_list("id", list(by_id))
    for identity in database.run(
        "SELECT requester_id, channel, address, display_name, suppressed_reason, blocked_reason, verified_by FROM identities"
        f" WHERE requester_id IN {places} ORDER BY created_at, id",
        values,
    ):
        by_id[str(identity["requester_id"])]["identities"].append(identity)
    return rows


def name_and_locale(requester_id: UUID) -> tuple[str, str | None]:
    """How to address a requester. Raises NotFound."""
    row = database.one("SELECT name, locale FROM requesters WHERE id = :id", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return row["name"], row["locale"]


def as_view(requester_id: UUID) -> dict[str, Any]:
    """What conditions and texts may know of a requester. Raises NotFound."""
    row = database.one(
        "SELECT r.id, r.name, r.locale, r.fields, o.name AS organisation FROM requesters AS r"
        " LEFT JOIN organisations AS o ON o.id = r.organisation_id WHERE r.id = :id",
        id=requester_id,
    )
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "locale": row["locale"] or "",
        "organisation": row["organisation"] or "",
        "fields": from_json(row["fields"]),
    }


def names_of(requester_ids: set[UUID]) -> dict[UUID, str]:
    """Names by id, for a list."""
    places, values = database.in_list("id", sorted(requester_ids))
    rows = database.run(f"SELECT id, name FROM requesters WHERE id IN {places}", values)
    return {UUID(str(row["id"])): row["name"] for row in rows}
