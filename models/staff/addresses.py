"""Chat addresses of agents. An agent links an address by opening a link that only they got."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.identity import queries as identity
from models.identity.queries import User
from models.kernel import clock, database, limits
from models.kernel.errors import NotFound
from models.staff.tables import UserAddress, UserLink

# Begins a link's payload, so that /start distinguishes it from a requester's link.
PREFIX = "agent-"


def make_link(user_id: UUID) -> str:
    """Make the token of a deep link. Joins the caller's transaction."""
    token = PREFIX + secrets.token_urlsafe(24)
    now = clock.now()
    expires_at = now + timedelta(seconds=limits.link_works_s)
    UserLink.insert(token_hash=_hash(token), user_id=user_id, created_at=now, expires_at=expires_at).execute()
    audit.record(AuditAction.link_created, "user", user_id)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def redeem(token: str, *, channel: str, address: str) -> User | None:
    """Give the address to the agent of the token. Returns None for a token that is unknown, used or expired.

    Joins the caller's transaction.
    """
    row = database.one(
        "UPDATE user_links SET used_at = :now WHERE token_hash = :hash AND used_at IS NULL AND expires_at > :now"
        " RETURNING user_id",
        now=clock.now(),
        hash=_hash(token),
    )
    if row is None:
        return None
    user = identity.get_user(UserLink.converted(row)["user_id"])
    database.execute(
        "INSERT INTO user_addresses (channel, address, user_id, created_at) VALUES (:channel, :address, :user, :now)"
        " ON CONFLICT (channel, address) DO UPDATE SET user_id = excluded.user_id, created_at = excluded.created_at",
        channel=channel,
        address=address,
        user=user.id,
        now=clock.now(),
    )
    audit.record(AuditAction.address_added, "user", user.id, after={"kind": channel}, actor=("user", str(user.id)))
    return user


def owner(channel: str, address: str) -> User | None:
    """Return the active agent of an address, or None."""
    row = database.one(
        "SELECT user_id FROM user_addresses WHERE channel = :channel AND address = :address",
        channel=channel,
        address=address,
    )
    if row is None:
        return None
    try:
        user = identity.get_user(UserAddress.converted(row)["user_id"])
    except NotFound:
        return None
    return user if user.active else None


def of_user(user_id: UUID) -> list[dict[str, str]]:
    """List an agent's addresses."""
    query = UserAddress.select(UserAddress.channel, UserAddress.address).where(UserAddress.user_id == user_id)
    return database.rows(query.order_by(UserAddress.created_at))


def unlink(user_id: UUID, channel: str, address: str) -> None:
    """Remove an agent's address. Raises NotFound."""
    this = (UserAddress.channel == channel) & (UserAddress.address == address)
    if not UserAddress.delete().where(UserAddress.user_id == user_id, this).execute():
        raise NotFound("you have no such address")
    audit.record(AuditAction.address_removed, "user", user_id, after={"kind": channel})
