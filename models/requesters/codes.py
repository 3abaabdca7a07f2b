"""Codes by which a person proves that a mail address is theirs as well: we mail six digits, they tell us these elsewhere.

The code is made from the row's id and SECRET_KEY, so it is stored nowhere; five tries, a quarter of an hour, once.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from models.kernel import clock, database, limits, settings
from models.kernel.errors import Conflict
from models.kernel.ids import new_id
from models.requesters import commands
from models.requesters.commands import Requester, normalise_address
from models.tasks import commands as tasks
from models.tasks import rates


class WrongCode(Conflict):
    """The code is wrong, was used, or is too old; ask for a new one after a few tries."""

    code = "wrong_code"


class TooManyCodes(Conflict):
    """Several codes were sent to this address already; wait a while before the next."""

    code = "too_many_codes"


class AddressNotWritten(Conflict):
    """The address is blocked, or must not be written to; lift that first."""

    code = "address_not_written"


def send(requester_id: UUID, address: str, *, channel: str = "email", account: str) -> UUID:
    """Mail a code to an address that is to become the requester's.

    Joins the caller's transaction. Raises NotFound, TooManyCodes,
    AddressNotWritten.
    """
    requester = commands.by_id(requester_id)
    address = normalise_address(channel, address)
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    if refusal(channel, address) is not None:
        raise AddressNotWritten()
    # A stranger must not use us to fill somebody's mailbox.
    bucket = rates.Bucket(f"code:{channel}:{name}", limits.code_every_s, limits.codes_burst)
    if rates.take([bucket]) > 0:
        raise TooManyCodes()
    code_id = new_id()
    now = clock.now()
    database.execute(
        "INSERT INTO requester_codes (id, requester_id, channel, address, code_hash, tries_left, created_at, expires_at)"
        " VALUES (:id, :requester, :channel, :address, '', :tries, :now, :expires)",
        id=code_id,
        requester=requester.id,
        channel=channel,
        address=address,
        tries=limits.code_tries,
        now=now,
        expires=now + timedelta(seconds=limits.code_works_s),
    )
    tasks.enqueue("send_code", {"code_id": code_id, "account": account})
    return code_id


def digits_of(code_id: UUID) -> str:
    """The six digits of a code; for who mails it, and to compare."""
    return f"{int.from_bytes(_mark(b'requester-code:', code_id), 'big') % 1_000_000:06d}"


def mail_mark(code_id: UUID) -> str:
    """What nobody can guess in the Message-ID of a code's mail: the same at each attempt, so that receivers see a repeat."""
    return _mark(b"requester-code-mail:", code_id).hex()


def _mark(purpose: bytes, code_id: UUID) -> bytes:
    key = settings.current().signing_key().encode()
    return hmac.new(key, purpose + code_id.bytes, hashlib.sha256).digest()[:8]


def refusal(channel: str, address: str) -> str | None:
    """Why no code goes to the address: it is suppressed or blocked; None when it may."""
    row = database.one(
        "SELECT suppressed_reason, blocked_reason FROM identities WHERE channel = :channel AND address = :address",
        channel=channel,
        address=address,
    )
    return None if row is None else row["suppressed_reason"] or row["blocked_reason"]


def verify(requester_id: UUID, code_id: UUID, digits: str) -> Requester:
    """Give the address to the person who knows the code; whoever had it so far is merged into them.

    A wrong try is counted and stays counted: call it in a transaction that is committed even when this raises WrongCode.
    """
    row = database.one(
        "UPDATE requester_codes SET tries_left = tries_left - 1 WHERE id = :id AND requester_id = :requester AND used_at IS NULL"
        " AND tries_left > 0 AND expires_at > :now RETURNING channel, address",
        id=code_id,
        requester=requester_id,
        now=clock.now(),
    )
    if row is None or not hmac.compare_digest(digits_of(code_id).encode(), digits.encode("utf-8", "replace")):
        raise WrongCode()
    database.execute("UPDATE requester_codes SET used_at = :now WHERE id = :id", now=clock.now(), id=code_id)
    commands.join_address(row["channel"], row["address"], requester_id, verified_by="code")
    return commands.by_id(requester_id)
