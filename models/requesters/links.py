"""Deep links and codes by which a person shows that another address is theirs as well.

The token is kept as a hash, works once and for a short time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.kernel import clock, database, limits
from models.kernel.ids import new_id
from models.requesters import commands
from models.requesters.commands import Requester


def make(requester_id: UUID, *, made_by: str) -> str:
    """A token for `https://t.me/<bot>?start=<token>`: at most 64 of [A-Za-z0-9_-] (Telegram's deep linking). Joins the caller's
    transaction."""
    token = secrets.token_urlsafe(24)
    database.execute(
        "INSERT INTO requester_links (id, requester_id, token_hash, made_by, created_at, expires_at)"
        " VALUES (:id, :requester, :hash, :by, :now, :expires)",
        id=new_id(),
        requester=requester_id,
        hash=_hash(token),
        by=made_by,
        now=clock.now(),
        expires=clock.now() + timedelta(seconds=limits.link_works_s),
    )
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Whose link it is. `asks`: the address has a story of its own already; its owner has to open the link once more to agree.

    Else somebody could send their own link to another person, and read that person's tickets.
    """

    owner: Requester
    asks: bool


def redeem(token: str, *, channel: str, address: str) -> Redeemed | None:
    """Give the address to the person who was given the token; what the address's former person had comes along.

    None for a token that is unknown, used or too old. Joins the caller's transaction.
    """
    row = database.one(
        "SELECT id, requester_id, asked_address FROM requester_links WHERE token_hash = :hash AND used_at IS NULL"
        " AND expires_at > :now FOR_UPDATE",
        now=clock.now(),
        hash=_hash(token),
    )
    if row is None:
        return None
    owner = commands.by_id(commands.current_id(UUID(str(row["requester_id"]))))
    holder = commands.find(channel, address)
    if (
        holder is not None
        and holder.id != owner.id
        and row["asked_address"] != address
        and _has_a_story(holder.id)
    ):
        database.execute(
            "UPDATE requester_links SET asked_address = :address WHERE id = :id",
            address=address,
            id=row["id"],
        )
        return Redeemed(owner, asks=True)
    database.execute(
        "UPDATE requester_links SET used_at = :now WHERE id = :id", now=clock.now(), id=row["id"]
    )
    commands.join_address(channel, address, owner.id)
    return Redeemed(commands.by_id(owner.id), asks=False)


def _has_a_story(requester_id: UUID) -> bool:
    row = database.one("SELECT 1 AS yes FROM tickets WHERE requester_id = :id LIMIT 1", id=requester_id)
    return row is not None
