"""Find or make the person behind an address."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from models.kernel import clock, database, limits
from models.kernel.batch import Batch
from models.kernel.errors import NotFound
from models.kernel.ids import new_id
from models.requesters import merging


@dataclass(frozen=True, slots=True)
class Requester:
    """A person who asks for help."""

    id: UUID
    name: str
    locale: str | None


def normalise_address(channel: str, address: str) -> str:
    """The form in which addresses are compared: mail addresses in lower case, others as they are."""
    address = address.strip().replace("\x00", "")
    return address.lower() if channel == "email" else address


def find(channel: str, address: str) -> Requester | None:
    """The owner of an address, or None."""
    row = database.one(
        "SELECT r.id, r.name, r.locale FROM identities AS i JOIN requesters AS r ON r.id = i.requester_id"
        " WHERE i.channel = :channel AND i.address = :address",
        channel=channel,
        address=normalise_address(channel, address),
    )
    return None if row is None else Requester(_uuid(row["id"]), row["name"], row["locale"])


def find_or_create(channel: str, address: str, *, name: str, locale: str | None = None) -> Requester:
    """The owner of an address; a new requester when it is unknown. Joins the caller's transaction.

    Two callers with the same new address meet at the unique key: the second one waits and finds the first one's.
    """
    found = find(channel, address)
    if found is not None:
        return found
    address = normalise_address(channel, address)
    requester = Requester(new_id(), (name.strip() or address)[: limits.name_chars_max], locale)
    now = clock.now()
    batch = Batch()
    batch.insert(
        "requesters",
        {
            "id": requester.id,
            "name": requester.name,
            "locale": locale,
            "created_at": now,
            "updated_at": now,
        },
    )
    identity = batch.insert(
        "identities",
        {
            "id": new_id(),
            "requester_id": requester.id,
            "channel": channel,
            "address": address,
            "display_name": requester.name,
            "created_at": now,
        },
        returning="id",
        unless_exists=True,
    )
    won = batch.write()[identity]
    if won is not None:
        return requester
    database.execute("DELETE FROM requesters WHERE id = :id", id=requester.id)
    found = find(channel, address)
    assert found is not None, "the address that was taken a moment ago has an owner"
    return found


def by_id(requester_id: UUID) -> Requester:
    """A requester. Raises NotFound."""
    row = database.one("SELECT id, name, locale FROM requesters WHERE id = :id", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return Requester(_uuid(row["id"]), row["name"], row["locale"])


def current_id(requester_id: UUID) -> UUID:
    """Who a requester is now: the one they were merged into, if they were."""
    for _ in range(_merges_followed_max):
        row = database.one("SELECT merged_into FROM requesters WHERE id = :id", id=requester_id)
        if row is None or row["merged_into"] is None:
            return requester_id
        requester_id = _uuid(row["merged_into"])
    return requester_id


_merges_followed_max = 20  # a merge into a merged one is refused, so chains are short


def join_address(channel: str, address: str, owner_id: UUID, *, verified_by: str = "link") -> None:
    """An address turns out to be this person's as well; whoever had it so far is merged into them. Joins the caller's transaction."""
    owner = by_id(owner_id)
    holder = find_or_create(channel, address, name=owner.name, locale=owner.locale)
    if holder.id != owner.id:
        merging.merge(holder.id, owner.id, by="the person themselves", reason=f"joined by {verified_by}")
    database.execute(
        "UPDATE identities SET verified_by = :how WHERE channel = :channel AND address = :address",
        how=verified_by,
        channel=channel,
        address=normalise_address(channel, address),
    )


def is_blocked(channel: str, address: str) -> bool:
    """Whether nothing is taken from this address."""
    row = database.one(
        "SELECT blocked_at FROM identities WHERE channel = :channel AND address = :address",
        channel=channel,
        address=normalise_address(channel, address),
    )
    return row is not None and row["blocked_at"] is not None


def create_without_address(name: str) -> Requester:
    """A requester known by name only (an API caller gave no address). Joins the caller's transaction."""
    requester = Requester(new_id(), name[: limits.name_chars_max], None)
    database.execute(
        "INSERT INTO requesters (id, name, created_at, updated_at) VALUES (:id, :name, :now, :now)",
        id=requester.id,
        name=requester.name,
        now=clock.now(),
    )
    return requester


def suppress(channel: str, address: str, reason: str) -> None:
    """Note that an address must not be written to (blocked, does not exist). Joins the caller's transaction."""
    database.execute(
        "UPDATE identities SET suppressed_at = :now, suppressed_reason = :reason WHERE channel = :channel AND address = :address",
        now=clock.now(),
        reason=reason[: limits.error_chars_max],
        channel=channel,
        address=normalise_address(channel, address),
    )


def unsuppress(channel: str, address: str) -> None:
    """The person wrote again, so the address works again. Joins the caller's transaction."""
    database.execute(
        "UPDATE identities SET suppressed_at = NULL, suppressed_reason = NULL WHERE channel = :channel AND address = :address"
        " AND suppressed_at IS NOT NULL",
        channel=channel,
        address=normalise_address(channel, address),
    )


def _uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
