"""What agents change of a requester: name, language, time zone, addresses, blocks. Commands join the caller's transaction."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.kernel import clock, database, limits
from models.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, PreconditionFailed
from models.kernel.ids import new_id
from models.requesters.commands import normalise_address

_COLUMNS = ("name", "locale", "time_zone")


def update(requester_id: UUID, changes: Mapping[str, Any], *, expected_version: int | None) -> None:
    """Change name, locale or time_zone. Raises NotFound, Invalid, PreconditionFailed."""
    row = database.one("SELECT version, erased_at FROM requesters WHERE id = :id FOR_UPDATE", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    if expected_version is not None and row["version"] != expected_version:
        raise PreconditionFailed(
            f"the requester has version {row['version']} by now; you read {expected_version}"
        )
    if row["erased_at"] is not None:
        raise Conflict("the requester's data was erased")
    zone = changes.get("time_zone")
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise Invalid(
            [FieldProblem("/time_zone", f"expected an IANA name such as Europe/Berlin, found {zone!r}")]
        )
    changed = [name for name in _COLUMNS if name in changes]
    if not changed:
        return
    assignments = ", ".join(f"{name} = :{name}" for name in changed)
    database.execute(
        f"UPDATE requesters SET {assignments}, version = version + 1, updated_at = :now WHERE id = :id",
        {name: changes[name] for name in changed},
        now=clock.now(),
        id=requester_id,
    )


def add_address(requester_id: UUID, channel: str, address: str) -> None:
    """An agent knows that this address is theirs, too. Raises NotFound, Conflict when it is somebody's: merge the two instead."""
    if database.one("SELECT id FROM requesters WHERE id = :id", id=requester_id) is None:
        raise NotFound(f"there is no requester {requester_id}")
    address = normalise_address(channel, address)
    row = database.one(
        "INSERT INTO identities (id, requester_id, channel, address, verified_by, created_at)"
        " VALUES (:id, :requester, :channel, :address, 'agent', :now)"
        " ON CONFLICT (channel, address) DO UPDATE SET address = identities.address RETURNING requester_id",
        id=new_id(),
        requester=requester_id,
        channel=channel,
        address=address,
        now=clock.now(),
    )
    assert row is not None
    if UUID(str(row["requester_id"])) != requester_id:
        raise Conflict(
            f"the address belongs to requester {row['requester_id']}; merge the two if they are one person"
        )


def set_blocked(requester_id: UUID, channel: str, address: str, reason: str | None) -> None:
    """Take nothing from the address any more, or with None again. Raises NotFound."""
    changed = database.execute(
        "UPDATE identities SET blocked_at = :at, blocked_reason = :reason WHERE requester_id = :requester AND channel = :channel"
        " AND address = :address",
        at=clock.now() if reason is not None else None,
        reason=None if reason is None else reason[: limits.error_chars_max],
        requester=requester_id,
        channel=channel,
        address=normalise_address(channel, address),
    )
    if not changed.rowcount:
        raise NotFound("the requester has no such address")


def lift_suppression(requester_id: UUID, channel: str, address: str) -> None:
    """A person knows that the address works again. Raises NotFound."""
    changed = database.execute(
        "UPDATE identities SET suppressed_at = NULL, suppressed_reason = NULL WHERE requester_id = :requester"
        " AND channel = :channel AND address = :address",
        requester=requester_id,
        channel=channel,
        address=normalise_address(channel, address),
    )
    if not changed.rowcount:
        raise NotFound("the requester has no such address")
