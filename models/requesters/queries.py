"""Queries of requesters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import peewee

from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.kernel.storage.prepared import Prepared
from models.kernel.storage.table import member_text
from models.requesters import person_fields
from models.requesters.row_types import IdentityRow, RequesterRow
from models.requesters.tables import Identity, Organisation, Requester

_SHOWN = (
    Requester.id,
    Requester.name,
    Requester.locale,
    Requester.time_zone,
    Requester.version,
    Requester.merged_into,
    Requester.erased_at,
    Requester.created_at,
    Requester.organisation_id,
    Organisation.name.alias("organisation_name"),
    Requester.fields,
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
    found = database.rows_as(RequesterRow, _shown().where(Requester.id == requester_id))
    if not found:
        raise NotFound(f"there is no requester {requester_id}")
    return _with_identities(found)[0]


def _shown() -> Any:
    return Requester.select(*_SHOWN).join(
        Organisation, peewee.JOIN.LEFT_OUTER, on=(Organisation.id == Requester.organisation_id)
    )


def page(
    *,
    text: str | None = None,
    searched_fields: Sequence[str] = (),
    blocked: bool | None = None,
    organisation_id: UUID | None = None,
    before: UUID | None,
    limit: int,
) -> list[RequesterRow]:
    """List requesters, newest first, that come before the id `before`. Merged requesters are left out.

    `text` is a part of a name, an address or one of the searched fields; case is ignored.
    """
    query = _shown().where(Requester.merged_into.is_null())
    if organisation_id is not None:
        query = query.where(Requester.organisation_id == organisation_id)
    own = Identity.select().where(Identity.requester_id == Requester.id)
    if before is not None:
        query = query.where(Requester.id < before)
    if text is not None:
        has_address = peewee.fn.EXISTS(own.where(Identity.address.contains(text)))
        found = Requester.name.contains(text) | has_address
        for name in searched_fields:
            found |= member_text(Requester.fields, name).contains(text)
        query = query.where(found)
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
    row = database.one(Prepared("SELECT name, locale FROM requesters WHERE id = :id"), id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return row["name"], row["locale"]


def as_view(requester_id: UUID) -> JsonObject:
    """Read the facts of a requester, and of their organisation, that conditions and message texts may use.

    Raises NotFound. This is an SQL text for speed, because every decision of a life cycle can need it.
    """
    row = database.one(
        Prepared(
            "SELECT r.id, r.name, r.locale, r.time_zone, r.fields, r.organisation_id, o.name AS organisation,"
            " o.fields AS organisation_fields FROM requesters AS r"
            " LEFT JOIN organisations AS o ON o.id = r.organisation_id WHERE r.id = :id"
        ),
        id=requester_id,
    )
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    found = Requester.converted(row)
    return {
        "id": str(row["id"]),
        "name": row["name"],
        "locale": row["locale"] or "",
        "time_zone": row["time_zone"] or "",
        "fields": person_fields.view("requester", found["fields"]),
        "organisation": _organisation_view(row),
    }


def _organisation_view(row: Mapping[str, Any]) -> JsonObject:
    return {
        "id": str(row["organisation_id"] or ""),
        "name": row["organisation"] or "",
        "fields": person_fields.view("organisation", from_json(row["organisation_fields"] or {})),
    }


def names_of(requester_ids: set[UUID]) -> dict[UUID, str]:
    """Read names by id, for a list."""
    if not requester_ids:
        return {}
    query = Requester.select(Requester.id, Requester.name).where(Requester.id.in_(sorted(requester_ids)))
    return {row["id"]: row["name"] for row in database.rows(query)}
