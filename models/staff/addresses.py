"""Whose chat account is which agent's: linked by the agent, who opens a link that only they were given."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from models.identity import queries as identity
from models.identity.queries import User
from models.kernel import clock, database, limits
from models.kernel.errors import NotFound

PREFIX = "agent-"  # of a link's payload, so that /start knows it from a requester's


def make_link(user_id: UUID) -> str:
    """A payload for `https://t.me/<bot>?start=<payload>`. Joins the caller's transaction."""
    token = PREFIX + secrets.token_urlsafe(24)
    database.execute(
        "INSERT INTO user_links (token_hash, user_id, created_at, expires_at) VALUES (:hash, :user, :now, :expires)",
        hash=_hash(token),
        user=user_id,
        now=clock.now(),
        expires=clock.now() + timedelta(seconds=limits.link_works_s),
    )
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def redeem(token: str, *, channel: str, address: str) -> User | None:
    """The address is this agent's from now on; None for a token that is unknown, used or too old. Joins the caller's transaction."""
    row = database.one(
        "UPDATE user_links SET used_at = :now WHERE token_hash = :hash AND used_at IS NULL AND expires_at > :now RETURNING user_id",
        now=clock.now(),
        hash=_hash(token),
    )
    if row is None:
        return None
    user = identity.get_user(UUID(str(row["user_id"])))
    database.execute(
        "INSERT INTO user_addresses (channel, address, user_id, created_at) VALUES (:channel, :address, :user, :now)"
        " ON CONFLICT (channel, address) DO UPDATE SET user_id = excluded.user_id, created_at = excluded.created_at",
        channel=channel,
        address=address,
        user=user.id,
        now=clock.now(),
    )
    return user


def owner(channel: str, address: str) -> User | None:
    """The active agent of an address, or None."""
    row = database.one(
        "SELECT user_id FROM user_addresses WHERE channel = :channel AND address = :address",
        channel=channel,
        address=address,
    )
    if row is None:
        return None
    try:
        user = identity.get_user(UUID(str(row["user_id"])))
    except NotFound:
        return None
    return user if user.active else None


def of_user(user_id: UUID) -> list[dict[str, str]]:
    """An agent's addresses."""
    return database.run(
        "SELECT channel, address FROM user_addresses WHERE user_id = :user ORDER BY created_at", user=user_id
    )


def unlink(user_id: UUID, channel: str, address: str) -> None:
    """The address is nobody's any more. Raises NotFound."""
    gone = database.execute(
        "DELETE FROM user_addresses WHERE user_id = :user AND channel = :channel AND address = :address",
        user=user_id,
        channel=channel,
        address=address,
    )
    if not gone.rowcount:
        raise NotFound("you have no such address")
