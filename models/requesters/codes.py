"""Verification codes for mail addresses: the desk mails six digits, and the requester enters them elsewhere.

A code is derived from its row's id and SECRET_KEY, so it is not stored. A code works once, for 15 minutes and five
tries.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from models.kernel import clock, limits, settings
from models.kernel.errors import Conflict
from models.kernel.ids import new_id
from models.requesters import commands
from models.requesters.commands import normalise_address
from models.requesters.tables import Identity, Requester, RequesterCode
from models.tasks import commands as tasks
from models.tasks import rates
from models.tasks.payloads import SendCode


class WrongCode(Conflict):
    """The code is wrong, already used, or expired; request a new one after a few attempts."""

    code = "wrong_code"


class TooManyCodes(Conflict):
    """Too many codes were sent to this address, or by this user; try again later."""

    code = "too_many_codes"


class AddressNotWritten(Conflict):
    """The address is blocked or suppressed; unblock it first."""

    code = "address_not_written"


def send(requester_id: UUID, address: str, *, channel: str, account: str, sender: str) -> UUID:
    """Mail a code to an address that the requester claims. `sender` is the user or API key that asks for it.

    Joins the caller's transaction. Raises NotFound, TooManyCodes, AddressNotWritten.
    """
    requester = commands.by_id(requester_id)
    address = normalise_address(channel, address)
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    if refusal(channel, address) is not None:
        raise AddressNotWritten()
    # The rate limits stop an attacker from flooding a mailbox with codes, and from mailing codes to the world.
    buckets = [
        rates.Bucket(f"code:{channel}:{name}", limits.code_every_s, limits.codes_burst),
        rates.Bucket(f"codes-of:{sender}", limits.codes_of_sender_every_s, limits.codes_of_sender_burst),
    ]
    if rates.take(buckets) > 0:
        raise TooManyCodes()
    code_id = new_id()
    now = clock.now()
    RequesterCode.insert(
        id=code_id,
        requester_id=requester.id,
        channel=channel,
        address=address,
        code_hash="",
        tries_left=limits.code_tries,
        created_at=now,
        expires_at=now + timedelta(seconds=limits.code_works_s),
    ).execute()
    tasks.enqueue(SendCode(code_id=code_id, account=account))
    return code_id


def digits_of(code_id: UUID) -> str:
    """Return the six digits of a code, for the mail and for the comparison."""
    return f"{int.from_bytes(_mark(b'requester-code:', code_id), 'big') % 1_000_000:06d}"


def mail_mark(code_id: UUID) -> str:
    """Return an unguessable part for the Message-ID of a code's mail. Each attempt has the same part, so receivers
    recognise a repeat.
    """
    return _mark(b"requester-code-mail:", code_id).hex()


def _mark(purpose: bytes, code_id: UUID) -> bytes:
    key = settings.current().signing_key().encode()
    return hmac.new(key, purpose + code_id.bytes, hashlib.sha256).digest()[:8]


def refusal(channel: str, address: str) -> str | None:
    """Return the reason why the desk sends no code to the address (suppressed or blocked), or None."""
    found = Identity.get_or_none((Identity.channel == channel) & (Identity.address == address))
    return None if found is None else found.suppressed_reason or found.blocked_reason


def verify(requester_id: UUID, code_id: UUID, digits: str) -> Requester:
    """Give the address to the requester who enters the code. The previous owner of the address is merged into them.

    A wrong try counts. Call this in a transaction that commits even when it raises WrongCode.
    """
    usable = RequesterCode.used_at.is_null() & (RequesterCode.tries_left > 0) & (RequesterCode.expires_at > clock.now())
    counted = (
        RequesterCode.update({RequesterCode.tries_left: RequesterCode.tries_left - 1})
        .where(RequesterCode.id == code_id, RequesterCode.requester_id == requester_id, usable)
        .execute()
    )
    if not counted or not hmac.compare_digest(digits_of(code_id).encode(), digits.encode("utf-8", "replace")):
        raise WrongCode()
    RequesterCode.update(used_at=clock.now()).where(RequesterCode.id == code_id).execute()
    code = RequesterCode.get_by_id(code_id)
    commands.join_address(code.channel, code.address, requester_id, verified_by="code")
    return commands.by_id(requester_id)
