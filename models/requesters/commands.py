"""Commands that find or create the requester of an address. They join the caller's transaction.

Every inbound message uses these commands, so reads are SQL texts: the query builder takes about 0.2 ms to compose a
query, and the database takes 0.01 ms to run it.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from models.events import history
from models.events.people_payloads import RequesterCreated
from models.kernel import clock, limits
from models.kernel.errors import NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.kernel.storage.prepared import Prepared
from models.ports import channel_facts
from models.requesters import domains, merging, people_events
from models.requesters.tables import Identity, Requester


def normalise_address(channel: str, address: str) -> str:
    """Return the form in which addresses are compared: in lower case where the channel ignores case."""
    return channel_facts.of(channel).comparable(address)


def find(channel: str, address: str) -> Requester | None:
    """Find the owner of an address."""
    row = database.one(
        Prepared(
            f"SELECT {Requester.selected('r')} FROM identities AS i JOIN requesters AS r ON r.id = i.requester_id"
            " WHERE i.channel = :channel AND i.address = :address"
        ),
        channel=channel,
        address=normalise_address(channel, address),
    )
    return None if row is None else Requester.from_row(row)


def find_or_create(
    channel: str, address: str, *, name: str, locale: str | None = None, is_unproved: bool = False
) -> Requester:
    """Find the owner of an address, or create a requester who owns it.

    A new requester belongs to the organisation that has the domain of the mail address, unless a judge found the
    address unproved: anybody can write any address into a mail. The unique key serialises two callers with the same new
    address: the second one waits and finds the requester of the first.
    """
    found, organisation_id = _owner_or_organisation(channel, address)
    if found is not None:
        return found
    address = normalise_address(channel, address)
    requester = _new((name.strip() or address)[: limits.name_chars_max], locale)
    requester.organisation_id = None if is_unproved else organisation_id
    batch = Batch()
    batch.insert("requesters", requester.row())
    people_events.add_created(batch, requester)
    identity = batch.insert(
        "identities",
        {
            "id": new_id(),
            "requester_id": requester.id,
            "channel": channel,
            "address": address,
            "display_name": requester.name,
            "created_at": requester.created_at,
        },
        returning="id",
        unless_exists=True,
    )
    won = batch.write()[identity]
    if won is not None:
        return requester
    history.take_back("requester", requester.id)
    Requester.delete().where(Requester.id == requester.id).execute()
    found = find(channel, address)
    assert found is not None, "the address that was taken a moment ago has an owner"
    return found


def _owner_or_organisation(channel: str, address: str) -> tuple[Requester | None, UUID | None]:
    """Find the owner of an address, and the organisation of its domain, in one statement."""
    if not channel_facts.of(channel).addresses_are_emails:
        return find(channel, address), None
    address = normalise_address(channel, address)
    places, values = database.in_list("domain", domains.candidates(address))
    statement = Prepared(
        f"SELECT {Requester.selected('r')}, (SELECT organisation_id FROM organisation_domains"
        f" WHERE domain IN {places} ORDER BY length(domain) DESC LIMIT 1) AS of_domain FROM (SELECT 1 AS one) AS one"
        " LEFT JOIN identities AS i ON i.channel = :channel AND i.address = :address"
        " LEFT JOIN requesters AS r ON r.id = i.requester_id"
    )
    row = database.one(statement, values, channel=channel, address=address)
    assert row is not None, "a row without an owner has the organisation"
    of_domain = row.pop("of_domain")
    if row["id"] is not None:
        return Requester.from_row(row), None
    return None, None if of_domain is None else UUID(str(of_domain))


def _new(name: str, locale: str | None) -> Requester:
    now = clock.now()
    return Requester(id=new_id(), name=name, locale=locale, created_at=now, updated_at=now)


def by_id(requester_id: UUID) -> Requester:
    """Read a requester. Raises NotFound."""
    row = database.one(f"SELECT {Requester.selected()} FROM requesters WHERE id = :id", id=requester_id)
    if row is None:
        raise NotFound(f"there is no requester {requester_id}")
    return Requester.from_row(row)


def current_id(requester_id: UUID) -> UUID:
    """Return the requester at the end of a chain of merges; the same id without a merge."""
    for _ in range(_merges_followed_max):
        row = database.one("SELECT merged_into FROM requesters WHERE id = :id", id=requester_id)
        if row is None or row["merged_into"] is None:
            return requester_id
        requester_id = Requester.converted(row)["merged_into"]
    return requester_id


_merges_followed_max = 20  # a merge into a merged requester is refused, so chains are short


def join_address(channel: str, address: str, owner_id: UUID, *, verified_by: str = "link") -> None:
    """Give an address to a requester who proved that it is theirs. The previous owner of the address is merged into
    them.
    """
    owner = by_id(owner_id)
    holder = find_or_create(channel, address, name=owner.name, locale=owner.locale)
    if holder.id != owner.id:
        merging.merge(holder.id, owner.id, by="the person themselves", reason=f"joined by {verified_by}")
    Identity.update(verified_by=verified_by).where(_is(channel, address)).execute()
    domains.join(owner.id, channel, address)


def _is(channel: str, address: str) -> Any:
    return (Identity.channel == channel) & (Identity.address == normalise_address(channel, address))


def is_blocked(channel: str, address: str) -> bool:
    """Return True if an agent blocked this address. The desk accepts nothing from a blocked address."""
    return standing(channel, address) == "blocked"


def standing(channel: str, address: str) -> Literal["blocked", "spam"] | None:
    """Return the reason why messages of this address reach no ticket: an agent blocked it, or marked it as spam."""
    row = database.one(
        Prepared("SELECT blocked_at, spam_ticket_id FROM identities WHERE channel = :channel AND address = :address"),
        channel=channel,
        address=normalise_address(channel, address),
    )
    if row is None or row["blocked_at"] is not None:
        return None if row is None else "blocked"
    return None if row["spam_ticket_id"] is None else "spam"


def create_without_address(name: str) -> Requester:
    """Create a requester with only a name (an API caller gave no address)."""
    requester = _new(name[: limits.name_chars_max], None)
    Requester.insert(requester.row()).execute()
    people_events.record("requester", requester.id, RequesterCreated(organisation_id=None))
    return requester


def suppress(channel: str, address: str, reason: str) -> None:
    """Put an address on the suppression list: the desk sends nothing to it (it blocked us, or it does not exist)."""
    changes = {"suppressed_at": clock.now(), "suppressed_reason": reason[: limits.error_chars_max]}
    Identity.update(changes).where(_is(channel, address)).execute()


def unsuppress(channel: str, address: str) -> None:
    """Take an address off the suppression list, because its owner wrote again."""
    database.execute(
        Prepared(
            "UPDATE identities SET suppressed_at = NULL, suppressed_reason = NULL WHERE channel = :channel AND address"
            " = :address"
            " AND suppressed_at IS NOT NULL"
        ),
        channel=channel,
        address=normalise_address(channel, address),
    )
