"""The addresses of erased persons, as keyed hashes: an event that arrived before the erasure is emptied, not recorded.

Such an event waits in a queue, failed and is replayed later, or is quarantined and released later. Without this table
it would bring the person's data back. The hash is keyed, because a chat's number could be guessed from a plain hash.
The key is SECRET_KEY: while it is rotated, the hashes of the other accepted keys count as well.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from models.inbox.tables import ErasedAddress
from models.kernel import clock, settings
from models.kernel.storage import database
from models.ports import channel_facts


def remember(channel: str, address: str) -> None:
    """Store that this address was erased now. Joins the caller's transaction."""
    row = {
        "channel": channel,
        "address_hash": _hash(channel, address, settings.current().signing_key()),
        "erased_at": clock.now(),
    }
    keys = [ErasedAddress.channel, ErasedAddress.address_hash]
    ErasedAddress.insert(row).on_conflict(conflict_target=keys, update={"erased_at": row["erased_at"]}).execute()


def erased_since(channel: str, addresses: Iterable[str], received_at: datetime) -> bool:
    """Return True if there are addresses and each was erased at or after `received_at`."""
    keys = settings.current().accepted_keys()
    hashes = [{_hash(channel, address, key) for key in keys} for address in addresses]
    if not hashes:
        return False
    found = ErasedAddress.select(ErasedAddress.address_hash).where(
        (ErasedAddress.channel == channel)
        & ErasedAddress.address_hash.in_(sorted(set().union(*hashes)))
        & (ErasedAddress.erased_at >= received_at)
    )
    erased = {row["address_hash"] for row in database.rows(found)}
    return all(erased & of_address for of_address in hashes)


def _hash(channel: str, address: str, key: str) -> str:
    comparable = channel_facts.of(channel).comparable(address)
    return hmac.new(key.encode(), b"erased-address:" + comparable.encode(), hashlib.sha256).hexdigest()
