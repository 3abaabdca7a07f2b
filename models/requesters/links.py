"""Deep links: a requester opens one to prove that another address is theirs as well.

The desk stores a hash of the token. A token works once and for a short time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.kernel import clock, database, limits
from models.kernel.ids import new_id
from models.kernel.table import for_update
from models.requesters import commands
from models.requesters.tables import Requester, RequesterLink


def make(requester_id: UUID, *, made_by: str) -> str:
    """Create a token for `https://t.me/<bot>?start=<token>`. Joins the caller's transaction.

    Telegram takes at most 64 characters of [A-Za-z0-9_-] (core.telegram.org/bots/features#deep-linking).
    """
    token = secrets.token_urlsafe(24)
    now = clock.now()
    RequesterLink.insert(
        id=new_id(),
        requester_id=requester_id,
        token_hash=_hash(token),
        made_by=made_by,
        created_at=now,
        expires_at=now + timedelta(seconds=limits.link_works_s),
    ).execute()
    audit.record(AuditAction.link_created, "requester", requester_id)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The owner of a redeemed link. `asks`: the address has tickets already, so its owner has to confirm by opening the
    link again.

    Without the confirmation, an attacker could send their own link to another person and read that person's tickets.
    """

    owner: Requester
    asks: bool


def redeem(token: str, *, channel: str, address: str) -> Redeemed | None:
    """Give the address, with all data of its former owner, to the requester of the token.

    Returns None for a token that is unknown, used or expired. Joins the caller's transaction.
    """
    usable = RequesterLink.used_at.is_null() & (RequesterLink.expires_at > clock.now())
    link = for_update(RequesterLink.select().where(RequesterLink.token_hash == _hash(token), usable)).first()
    if link is None:
        return None
    this_link = RequesterLink.id == link.id
    owner = commands.by_id(commands.current_id(link.requester_id))
    holder = commands.find(channel, address)
    if holder is not None and holder.id != owner.id and link.asked_address != address and _has_tickets(holder.id):
        RequesterLink.update(asked_address=address).where(this_link).execute()
        return Redeemed(owner, asks=True)
    RequesterLink.update(used_at=clock.now()).where(this_link).execute()
    commands.join_address(channel, address, owner.id)
    return Redeemed(commands.by_id(owner.id), asks=False)


def _has_tickets(requester_id: UUID) -> bool:
    row = database.one("SELECT 1 AS yes FROM tickets WHERE requester_id = :id LIMIT 1", id=requester_id)
    return row is not None
