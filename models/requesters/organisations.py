"""Organisations: the companies that requesters belong to. Commands join the caller's transaction.

A person belongs to one organisation at most: the one that an agent chose, or that has the domain of the person's mail
address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.people_payloads import OrganisationCreated, OrganisationDeleted, OrganisationUpdated
from models.infomodel.normal_form import Lookups
from models.kernel import clock
from models.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.table import first, for_update
from models.requesters import domains, people_events, person_fields
from models.requesters.row_types import OrganisationRow
from models.requesters.tables import Organisation, OrganisationDomain, Requester

_SHOWN = (
    Organisation.id,
    Organisation.name,
    Organisation.fields,
    Organisation.version,
    Organisation.created_at,
    Organisation.updated_at,
)


def create(name: str, *, domain_names: Sequence[str], fields: Mapping[str, Any], role: str, lookups: Lookups) -> UUID:
    """Create an organisation; return its id. Raises Invalid, and Conflict for a domain of another organisation."""
    domain_names = domains.normal(domain_names)
    valid = person_fields.changed("organisation", {}, fields, role=role, lookups=lookups, fresh=True)
    organisation_id, now = new_id(), clock.now()
    Organisation.insert(id=organisation_id, name=name, fields=valid, created_at=now, updated_at=now).execute()
    domains.replace(organisation_id, domain_names)
    people_events.record("organisation", organisation_id, OrganisationCreated(name=name))
    audit.record(AuditAction.organisation_created, "organisation", organisation_id, after={"fields": sorted(valid)})
    return organisation_id


def update(
    organisation_id: UUID, changes: Mapping[str, Any], *, expected_version: int | None, role: str, lookups: Lookups
) -> None:
    """Change name, domains (replaced as a whole) or fields (merged).

    Raises NotFound, Invalid, PreconditionFailed, and Conflict for a domain of another organisation.
    """
    row = first(for_update(Organisation.select(*_SHOWN).where(Organisation.id == organisation_id)))
    if row is None:
        raise _no(organisation_id)
    if expected_version is not None and row["version"] != expected_version:
        raise PreconditionFailed(f"If-Match: expected version {row['version']}, found {expected_version}")
    after = {"name": changes.get("name", row["name"]), "fields": row["fields"]}
    if "fields" in changes:
        after["fields"] = person_fields.changed(
            "organisation", row["fields"], changes["fields"], role=role, lookups=lookups
        )
    different = [name for name in ("name", "fields") if after[name] != row[name]]
    if "domains" in changes:
        wanted = domains.normal(changes["domains"])
        if wanted != domains.of(organisation_id):
            domains.replace(organisation_id, wanted)
            different.append("domains")
    if different:
        counted = {"version": Organisation.version + 1, "updated_at": clock.now()}
        Organisation.update(after | counted).where(Organisation.id == organisation_id).execute()
        people_events.record("organisation", organisation_id, OrganisationUpdated(changed=sorted(different)))
        audit.record(
            AuditAction.organisation_updated, "organisation", organisation_id, after={"changed": sorted(different)}
        )


def delete(organisation_id: UUID) -> None:
    """Delete an organisation and its domains. Raises NotFound, and Conflict while it has members."""
    if first(for_update(Organisation.select(Organisation.id).where(Organisation.id == organisation_id))) is None:
        raise _no(organisation_id)
    members = Requester.select().where(Requester.organisation_id == organisation_id).count()
    if members:
        raise Conflict(f"the organisation has {members} members; remove them first")
    OrganisationDomain.delete().where(OrganisationDomain.organisation_id == organisation_id).execute()
    Organisation.delete().where(Organisation.id == organisation_id).execute()
    people_events.record("organisation", organisation_id, OrganisationDeleted())
    audit.record(AuditAction.organisation_deleted, "organisation", organisation_id)


def check(organisation_id: UUID, *, path: str = "/organisation_id") -> None:
    """Raises Invalid for an organisation that does not exist. A deletion that runs now waits for the caller."""
    if first(for_update(Organisation.select(Organisation.id).where(Organisation.id == organisation_id))) is None:
        raise Invalid([FieldProblem(path, "expected the id of an organisation")])


def get(organisation_id: UUID) -> OrganisationRow:
    """Read an organisation. Raises NotFound."""
    found = database.rows_as(OrganisationRow, Organisation.select(*_SHOWN).where(Organisation.id == organisation_id))
    if not found:
        raise _no(organisation_id)
    return _with_domains(found)[0]


def page(*, text: str | None, before: UUID | None, limit: int) -> list[OrganisationRow]:
    """List organisations, newest first, that come before the id `before`. `text` is a part of a name or a domain."""
    query = Organisation.select(*_SHOWN)
    if before is not None:
        query = query.where(Organisation.id < before)
    if text is not None:
        at_domain = OrganisationDomain.select(OrganisationDomain.organisation_id).where(
            OrganisationDomain.domain.contains(text)
        )
        query = query.where(Organisation.name.contains(text) | Organisation.id.in_(at_domain))
    return _with_domains(database.rows_as(OrganisationRow, query.order_by(Organisation.id.desc()).limit(limit)))


def _with_domains(rows: list[OrganisationRow]) -> list[OrganisationRow]:
    by_id: dict[UUID, list[str]] = {row["id"]: [] for row in rows}
    if by_id:
        query = OrganisationDomain.select().where(OrganisationDomain.organisation_id.in_(list(by_id)))
        for row in database.rows(query.order_by(OrganisationDomain.domain)):
            by_id[row["organisation_id"]].append(row["domain"])
    for one in rows:
        one["domains"] = by_id[one["id"]]
    return rows


def names_of(organisation_ids: set[UUID]) -> dict[UUID, str]:
    """Read names by id, for a list."""
    if not organisation_ids:
        return {}
    query = Organisation.select(Organisation.id, Organisation.name).where(Organisation.id.in_(sorted(organisation_ids)))
    return {row["id"]: row["name"] for row in database.rows(query)}


def _no(organisation_id: UUID) -> NotFound:
    return NotFound(f"there is no organisation {organisation_id}")
