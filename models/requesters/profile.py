"""Changes that an agent makes to a requester: name, language, time zone, addresses, blocks. Commands join the caller's
transaction.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.kernel import clock, limits
from models.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage.table import first, for_update
from models.requesters.commands import normalise_address
from models.requesters.tables import Identity, Requester

_EDITABLE = ("name", "locale", "time_zone")


def update(requester_id: UUID, changes: Mapping[str, Any], *, expected_version: int | None) -> None:
    """Change name, locale or time_zone. Raises NotFound, Invalid, PreconditionFailed."""
    row = first(
        for_update(Requester.select(Requester.version, Requester.erased_at).where(Requester.id == requester_id))
    )
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    if expected_version is not None and row["version"] != expected_version:
        raise PreconditionFailed(f"If-Match: expected version {row['version']}, found {expected_version}")
    if row["erased_at"] is not None:
        raise Conflict("the requester's data was erased")
    zone = changes.get("time_zone")
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise Invalid([FieldProblem("/time_zone", f"expected an IANA name such as Europe/Berlin, found {zone!r}")])
    changed = {name: changes[name] for name in _EDITABLE if name in changes}
    if changed:
        counted = {"version": Requester.version + 1, "updated_at": clock.now()}
        Requester.update(changed | counted).where(Requester.id == requester_id).execute()


def add_address(requester_id: UUID, channel: str, address: str) -> None:
    """Add an address to a requester, for an agent who vouches for it.

    Raises NotFound, and Conflict when the address belongs to another requester: merge the two instead.
    """
    if not Requester.select().where(Requester.id == requester_id).exists():
        raise NotFound(f"there is no requester {requester_id}")
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
    this = (Identity.channel == channel) & (Identity.address == normalise_address(channel, address))
    if not Identity.update(changes).where(Identity.requester_id == requester_id, this).execute():
        raise NotFound("the requester has no such address")
