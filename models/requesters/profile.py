"""Requesters as agents create and change them: name, language, time zone, organisation, fields, addresses, blocks.

Commands join the caller's transaction.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.payload import UNSET, Unset, as_mapping
from models.events.people_payloads import RequesterCreated, RequesterUpdated
from models.infomodel import locks
from models.infomodel.normal_form import Lookups
from models.kernel import clock, limits
from models.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage.table import first, for_update
from models.requesters import domains, organisations, people_events, person_fields
from models.requesters.commands import normalise_address
from models.requesters.tables import Identity, Requester

new_identities_max = 20  # addresses of one new person; more are a list of people
_EDITABLE = ("name", "locale", "time_zone", "organisation_id")


def create(
    name: str,
    *,
    addresses: Sequence[tuple[str, str]],
    locale: str | None,
    time_zone: str | None,
    organisation_id: UUID | None,
    fields: Mapping[str, Any],
    role: str,
    lookups: Lookups,
) -> UUID:
    """Create a requester with addresses (channel, address), for an agent who vouches for them; return the id.

    Without an organisation, the domain of the first mail address chooses one. Raises Invalid, and Conflict for an
    address of another requester.
    """
    _check_zone(time_zone)
    if organisation_id is not None:
        organisations.check(organisation_id)
    valid = person_fields.changed("requester", {}, fields, role=role, lookups=lookups, fresh=True)
    now = clock.now()
    requester = Requester(
        id=new_id(),
        name=name,
        locale=locale,
        time_zone=time_zone,
        organisation_id=organisation_id,
        fields=valid,
        created_at=now,
        updated_at=now,
    )
    Requester.insert(requester.row()).execute()
    for channel, address in addresses:
        _own(requester.id, channel, address)
    created = RequesterCreated(organisation_id=Requester.get_by_id(requester.id).organisation_id)
    people_events.record("requester", requester.id, created)
    audit.record(AuditAction.requester_created, "requester", requester.id, after={"fields": sorted(valid)})
    return requester.id


def update(
    requester_id: UUID, changes: Mapping[str, Any], *, expected_version: int | None, role: str, lookups: Lookups
) -> None:
    """Change name, locale, time_zone, organisation_id or fields (merged). Raises NotFound, Invalid,
    PreconditionFailed.
    """
    row = first(for_update(Requester.select().where(Requester.id == requester_id)))
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    if expected_version is not None and row["version"] != expected_version:
        raise PreconditionFailed(f"If-Match: expected version {row['version']}, found {expected_version}")
    if row["erased_at"] is not None:
        raise Conflict("the requester's data was erased")
    _check_zone(changes.get("time_zone"))
    if changes.get("organisation_id") is not None:
        organisations.check(changes["organisation_id"])
    after = {name: changes[name] for name in _EDITABLE if name in changes}
    if "fields" in changes:
        after["fields"] = person_fields.changed(
            "requester", row["fields"], changes["fields"], role=role, lookups=lookups
        )
    changed = {name: value for name, value in after.items() if row[name] != value}
    if changed:
        counted = {"version": Requester.version + 1, "updated_at": clock.now()}
        Requester.update(changed | counted).where(Requester.id == requester_id).execute()
        _record_update(requester_id, _changed_names(row, changed), changed.get("organisation_id", UNSET))


def _changed_names(row: Mapping[str, Any], changed: Mapping[str, Any]) -> list[str]:
    """Return the names of changed properties and fields; events and audit entries hold no texts about people."""
    names = [name for name in changed if name != "fields"]
    names += [f"fields.{one}" for one in locks.changed_names(row["fields"], changed.get("fields", row["fields"]))]
    return sorted(names)


def _record_update(requester_id: UUID, names: list[str], organisation_id: UUID | Unset | None = UNSET) -> None:
    updated = RequesterUpdated(changed=names, organisation_id=organisation_id)
    people_events.record("requester", requester_id, updated)
    audit.record(AuditAction.requester_updated, "requester", requester_id, after=as_mapping(updated))


def _check_zone(zone: str | None) -> None:
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise Invalid([FieldProblem("/time_zone", f"expected an IANA name such as Europe/Berlin, found {zone!r}")])


def _own(requester_id: UUID, channel: str, address: str) -> None:
    """Give an address without an owner to a requester, and the organisation of its domain to one without any.

    Raises Conflict when the address belongs to another requester.
    """
    address = normalise_address(channel, address)
    Identity.insert(
        id=new_id(),
        requester_id=requester_id,
        channel=channel,
        address=address,
        verified_by="agent",
        created_at=clock.now(),
    ).on_conflict_ignore().execute()
    owner = Identity.get((Identity.channel == channel) & (Identity.address == address)).requester_id
    if owner != requester_id:
        raise Conflict(f"the address belongs to requester {owner}; merge the two if they are one person")
    domains.join(requester_id, channel, address)


def add_address(requester_id: UUID, channel: str, address: str) -> None:
    """Add an address to a requester, for an agent who vouches for it.

    Raises NotFound, and Conflict when the address belongs to another requester: merge the two instead.
    """
    _lock(requester_id)
    _own(requester_id, channel, address)
    people_events.record("requester", requester_id, RequesterUpdated(changed=["identities"]))
    audit.record(AuditAction.address_added, "requester", requester_id, after={"kind": channel})


def set_blocked(requester_id: UUID, channel: str, address: str, reason: str | None) -> None:
    """Block an address, so that the desk accepts nothing from it. A `reason` of None unblocks it. Raises NotFound."""
    blocked_at = clock.now() if reason is not None else None
    short = None if reason is None else reason[: limits.error_chars_max]
    _change(requester_id, channel, address, {"blocked_at": blocked_at, "blocked_reason": short})


def lift_suppression(requester_id: UUID, channel: str, address: str) -> None:
    """Remove an address from the suppression list, for an agent. Raises NotFound."""
    _change(requester_id, channel, address, {"suppressed_at": None, "suppressed_reason": None})


def _change(requester_id: UUID, channel: str, address: str, changes: Mapping[str, Any]) -> None:
    _lock(requester_id)
    this = (Identity.channel == channel) & (Identity.address == normalise_address(channel, address))
    if not Identity.update(changes).where(Identity.requester_id == requester_id, this).execute():
        raise NotFound("the requester has no such address")
    _record_update(requester_id, ["identities"])


def _lock(requester_id: UUID) -> None:
    """Hold the requester's row, which numbers the events. Raises NotFound."""
    if first(for_update(Requester.select(Requester.id).where(Requester.id == requester_id))) is None:
        raise NotFound(f"there is no requester {requester_id}")
