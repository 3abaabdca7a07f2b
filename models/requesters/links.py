"""Deep links: a requester opens one to prove that another address is theirs as well.

The chat shows a number, which is entered where the link was made (`link_numbers`). The desk stores a hash of the
token. A token works once, for ten minutes and five numbers.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.kernel import clock, limits
from models.kernel.ids import new_id
from models.kernel.storage.table import for_update
from models.requesters import commands, link_numbers
from models.requesters.link_numbers import WrongNumber
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
        tries_left=limits.link_numbers_max,
    ).execute()
    audit.record(AuditAction.link_created, "requester", requester_id)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened link: its owner, and the number that the chat shows."""

    owner: Requester
    number: str


def open_link(token: str, *, channel: str, address: str) -> Opened | None:
    """Note the address that opened the link. The address joins the owner after `confirm`.

    Returns None for a token that is unknown, used or expired, or that another address opened. Joins the caller's
    transaction.
    """
    link = for_update(_usable(token)).first()
    if link is None or (
        link.asked_address is not None and (link.asked_channel, link.asked_address) != (channel, address)
    ):
        return None
    RequesterLink.update(asked_channel=channel, asked_address=address).where(RequesterLink.id == link.id).execute()
    owner = commands.by_id(commands.current_id(link.requester_id))
    return Opened(owner, link_numbers.number_of(link.token_hash, channel, address))


@dataclass(frozen=True, slots=True)
class Joined:
    """The owner of a confirmed link, and the address that joined."""

    owner: Requester
    channel: str
    address: str


def confirm(requester_id: UUID, token: str, number: str) -> Joined:
    """Give the address that opened the link, with all data of its former owner, to the owner of the link.

    A wrong number counts. Call this in a transaction that commits even when it raises WrongNumber.
    """
    link = for_update(_usable(token)).first()
    if link is None or commands.current_id(link.requester_id) != commands.current_id(requester_id):
        raise WrongNumber()
    this_link = RequesterLink.id == link.id
    RequesterLink.update(tries_left=RequesterLink.tries_left - 1).where(this_link).execute()
    if not link_numbers.is_right(number, link.token_hash, link.asked_channel, link.asked_address):
        raise WrongNumber()
    RequesterLink.update(used_at=clock.now()).where(this_link).execute()
    owner_id = commands.current_id(link.requester_id)
    commands.join_address(link.asked_channel, link.asked_address, owner_id)
    return Joined(commands.by_id(owner_id), link.asked_channel, link.asked_address)


def _usable(token: str) -> Any:
    usable = RequesterLink.used_at.is_null() & (RequesterLink.expires_at > clock.now()) & (RequesterLink.tries_left > 0)
    return RequesterLink.select().where(RequesterLink.token_hash == _hash(token), usable)
