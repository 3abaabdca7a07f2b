"""Queries of requesters."""

from __future__ import annotations

from uuid import UUID

import peewee

from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.requesters.row_types import IdentityRow, RequesterRow
from models.requesters.tables import Identity, Requester

_SHOWN = (
    Requester.id,
    Requester.name,
    Requester.locale,
    Requester.time_zone,
    Requester.version,
    Requester.merged_into,
    Requester.erased_at,
    Requester.created_at,
)
_SHOWN_OF_IDENTITY = (
    Identity.requester_id,
    Identity.channel,
    Identity.address,
    Identity.display_name,
    Identity.suppressed_reason,
    Identity.blocked_reason,
    Identity.verified_by,
)


def addresses_of(requester_id: UUID) -> list[tuple[str, str]]:
    """List channel and address of a requester's usable identities, oldest first."""
    usable = Identity.suppressed_at.is_null() & Identity.blocked_at.is_null()
    query = Identity.select(Identity.channel, Identity.address).where(Identity.requester_id == requester_id, usable)
    return [(row["channel"], row["address"]) for row in database.rows(query.order_by(Identity.created_at, Identity.id))]


def get(requester_id: UUID) -> RequesterRow:
    """Read a requester with their identities. Raises NotFound."""
    found = database.rows_as(RequesterRow, Requester.select(*_SHOWN).where(Requester.id == requester_id))
    if not found:
        raise NotFound(f"there is no requester {requester_id}")
    return _with_identities(found)[0]


def page(*, text: str | None, blocked: bool | None, before: UUID | None, limit: int) -> list[RequesterRow]:
    """List requesters, newest first, that come before the id `before`. Merged requesters are left out.

    `text` is a part of a name or an address; case is ignored.
    """
    query = Requester.select(*_SHOWN).where(Requester.merged_into.is_null())
    own = Identity.select().where(Identity.requester_id == Requester.id)
    if before is not None:
        query = query.where(Requester.id < before)
    if text is not None:
        has_address = peewee.fn.EXISTS(own.where(Identity.address.contains(text)))
        query = query.where(Requester.name.contains(text) | has_address)
    if blocked is not None:
        has_blocked = peewee.fn.EXISTS(own.where(Identity.blocked_at.is_null(False)))
        query = query.where(has_blocked if blocked else ~has_blocked)
    return _with_identities(database.rows_as(RequesterRow, query.order_by(Requester.id.desc()).limit(limit)))


def _with_identities(requesters: list[RequesterRow]) -> list[RequesterRow]:
    by_id: dict[UUID, RequesterRow] = {row["id"]: row for row in requesters}
    for row in requesters:
        row["identities"] = []
    if by_id:
        query = Identity.select(*_SHOWN_OF_IDENTITY).where(Identity.requester_id.in_(list(by_id)))
        for identity in database.rows_as(IdentityRow, query.order_by(Identity.created_at, Identity.id)):
            by_id[identity["requester_id"]]["identities"].append(identity)
    return requesters


def name_and_locale(requester_id: UUID) -> tuple[str, str | None]:
    """Read how to address a requester. Raises NotFound."""
    row = database.one("SELECT name, locale FROM requesters WHERE id = :id", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return row["name"], row["locale"]


def as_view(requester_id: UUID) -> JsonObject:
    """Read the facts of a requester that conditions and message texts may use. Raises NotFound.

    This is an SQL text for speed, because every decision of a life cycle can need it.
    """
    row = database.one(
        "SELECT r.id, r.name, r.locale, r.fields, o.name AS organisation FROM requesters AS r"
        " LEFT JOIN organisations AS o ON o.id = r.organisation_id WHERE r.id = :id",
        id=requester_id,
    )
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return Requester.converted(row) | {
        "id": str(row["id"]),
        "locale": row["locale"] or "",
        "organisation": row["organisation"] or "",
    }


def names_of(requester_ids: set[UUID]) -> dict[UUID, str]:
    """Read names by id, for a list."""
    if not requester_ids:
        return {}
    query = Requester.select(Requester.id, Requester.name).where(Requester.id.in_(sorted(requester_ids)))
    return {row["id"]: row["name"] for row in database.rows(query)}
