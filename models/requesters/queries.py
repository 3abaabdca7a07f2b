"""Read requesters."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.kernel import database
from models.kernel.batch import from_json
from models.kernel.errors import NotFound


def get(requester_id: UUID) -> dict[str, Any]:
    """A requester with identities. Raises NotFound."""
    row = database.one(
        "SELECT id, name, locale, version, created_at FROM requesters WHERE id = :id", id=requester_id
    )
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    row["created_at"] = database.instant(row["created_at"])
    row["identities"] = database.run(
        "SELECT channel, address, display_name, suppressed_reason FROM identities WHERE requester_id = :id ORDER BY created_at",
        id=requester_id,
    )
    return row


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
