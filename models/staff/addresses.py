"""Chat addresses of agents.

An agent connects an address by opening a link in the chat and entering the number that the chat shows where the link
was made. The connection ends with the agent's password, role or activity.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.desk_mail import commands as desk_mail
from models.identity import own_password
from models.identity import queries as identity
from models.identity.queries import User
from models.kernel import clock, limits
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.table import for_update
from models.requesters import link_numbers
from models.staff.tables import UserAddress, UserLink

# Begins a link's payload, so that /start distinguishes it from a requester's link.
PREFIX = "agent-"


def make_link(user_id: UUID) -> str:
    """Make the token of a deep link. Joins the caller's transaction."""
    token = PREFIX + secrets.token_urlsafe(24)
    now = clock.now()
    expires_at = now + timedelta(seconds=limits.link_works_s)
    mark = own_password.access_mark(user_id)
    UserLink.insert(
        token_hash=_hash(token),
        user_id=user_id,
        created_at=now,
        expires_at=expires_at,
        access_mark=mark,
        tries_left=limits.link_numbers_max,
    ).execute()
    audit.record(AuditAction.link_created, "user", user_id)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _held(token: str) -> UserLink | None:
    """Lock a usable link: unused, unexpired, and made with the present password and role of an active agent."""
    usable = UserLink.used_at.is_null() & (UserLink.expires_at > clock.now()) & (UserLink.tries_left > 0)
    link: UserLink | None = for_update(UserLink.select().where(UserLink.token_hash == _hash(token), usable)).first()
    if link is None or link.access_mark is None or own_password.access_mark(link.user_id) != link.access_mark:
        return None
    return link


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened link: its agent, and the number that the chat shows."""

    user: User
    number: str


def open_link(token: str, *, channel: str, address: str, account: str | None = None) -> Opened | None:
    """Note the address that opened the link, and the account whose chat it is. `confirm` connects the address.

    Returns None for a token that is unknown, used, expired or ended, or that another address opened. Joins the
    caller's transaction.
    """
    link = _held(token)
    if link is None or (
        link.asked_address is not None and (link.asked_channel, link.asked_address) != (channel, address)
    ):
        return None
    this_link = UserLink.token_hash == link.token_hash
    UserLink.update(asked_channel=channel, asked_address=address, asked_account=account).where(this_link).execute()
    return Opened(identity.get_user(link.user_id), link_numbers.number_of(link.token_hash, channel, address))


@dataclass(frozen=True, slots=True)
class Connected:
    """The agent of a confirmed link, and the address that was connected."""

    user: User
    channel: str
    address: str


def confirm(user_id: UUID, token: str, number: str) -> Connected:
    """Give the address that opened the link to the agent who made it, and tell the agent by mail.

    A wrong number counts. Call this in a transaction that commits even when it raises WrongNumber.
    """
    link = _held(token)
    if link is None or link.user_id != user_id:
        raise link_numbers.WrongNumber()
    this_link = UserLink.token_hash == link.token_hash
    UserLink.update(tries_left=UserLink.tries_left - 1).where(this_link).execute()
    if not link_numbers.is_right(number, link.token_hash, link.asked_channel, link.asked_address):
        raise link_numbers.WrongNumber()
    channel, address = str(link.asked_channel), str(link.asked_address)
    UserLink.update(used_at=clock.now()).where(this_link).execute()
    database.execute(
        "INSERT INTO user_addresses (channel, address, user_id, created_at, access_mark, account)"
        " VALUES (:channel, :address, :user, :now, :mark, :account)"
        " ON CONFLICT (channel, address) DO UPDATE SET user_id = excluded.user_id, created_at = excluded.created_at,"
        " access_mark = excluded.access_mark, account = excluded.account",
        channel=channel,
        address=address,
        user=user_id,
        now=clock.now(),
        mark=link.access_mark,
        account=link.asked_account,
    )
    user = identity.get_user(user_id)
    audit.record(AuditAction.address_added, "user", user_id, after={"kind": channel}, actor=("user", str(user_id)))
    desk_mail.notify("chat_connected", user, {"channel": channel})
    return Connected(user, channel, address)


def end_links_of(user_id: UUID) -> None:
    """End an agent's links and connected addresses, for example at a deactivation. Joins the caller's transaction."""
    UserLink.delete().where(UserLink.user_id == user_id).execute()
    UserAddress.delete().where(UserAddress.user_id == user_id).execute()


def owner(channel: str, address: str) -> User | None:
    """Return the active agent of an address, or None.

    The connection ends when the agent's password or role changes.
    """
    row = database.one(
        "SELECT user_id, access_mark FROM user_addresses WHERE channel = :channel AND address = :address",
        channel=channel,
        address=address,
    )
    if row is None:
        return None
    user_id: UUID = UserAddress.converted(row)["user_id"]
    present = own_password.access_mark(user_id)
    if present is None or row["access_mark"] not in (None, present):
        return None
    return identity.get_user(user_id)


def of_user(user_id: UUID) -> list[dict[str, str]]:
    """List an agent's addresses."""
    query = UserAddress.select(UserAddress.channel, UserAddress.address).where(UserAddress.user_id == user_id)
    return database.rows(query.order_by(UserAddress.created_at))


@dataclass(frozen=True, slots=True)
class OwnChat:
    """A chat of an agent. `account` is None for a chat that was connected before accounts were stored."""

    channel: str
    account: str | None
    address: str


def newest_chat(user_id: UUID) -> OwnChat | None:
    """Return the chat that an agent connected last and that still counts as the agent's, or None."""
    present = own_password.access_mark(user_id)
    valid = UserAddress.access_mark.is_null() | (UserAddress.access_mark == present)
    query = UserAddress.select().where(UserAddress.user_id == user_id, valid)
    row: UserAddress | None = query.order_by(UserAddress.created_at.desc(), UserAddress.address).first()
    return None if row is None or present is None else OwnChat(row.channel, row.account, row.address)


def unlink(user_id: UUID, channel: str, address: str) -> None:
    """Remove an agent's address. Raises NotFound."""
    this = (UserAddress.channel == channel) & (UserAddress.address == address)
    if not UserAddress.delete().where(UserAddress.user_id == user_id, this).execute():
        raise NotFound("you have no such address")
    audit.record(AuditAction.address_removed, "user", user_id, after={"kind": channel})
