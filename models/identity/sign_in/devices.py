"""Known devices: a signed token that a device gets at a sign-in and presents at the next one.

A known device counts its failed sign-ins in a bucket of its own. Without it, strangers who guess a password could keep
the person out, and a colleague who mistypes could keep out an office behind one address. The token opens nothing:
whoever steals one may only guess as often as the person. A sign-in without it is reported to the person.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from models.audit import callers
from models.kernel import clock, limits
from models.kernel.ids import new_id
from models.kernel.settings import Settings

_PREFIX = "nsd_"
_ID, _ISSUED, _MARK = 16, 9, 16  # bytes; together a multiple of three, so base64 needs no padding
_BYTES = 2 * _ID + _ISSUED + _MARK


@dataclass(frozen=True, slots=True)
class Device:
    """A device on which a user has signed in."""

    id: UUID
    user_id: UUID


def presented(settings: Settings) -> Device | None:
    """Return the device that the current request presents, or None without a valid token."""
    token = callers.current().device
    return None if token is None else _read(token, settings)


def issue(user_id: UUID, settings: Settings) -> tuple[UUID, str]:
    """Return the id and the token of the device on which the user signs in now; a known device keeps its id."""
    known = presented(settings)
    device_id = known.id if known is not None and known.user_id == user_id else new_id()
    body = user_id.bytes + device_id.bytes + int(clock.now().timestamp()).to_bytes(_ISSUED, "big")
    token = base64.urlsafe_b64encode(body + _mark(settings.signing_key(), body)).decode("ascii")
    return device_id, _PREFIX + token


def _read(token: str, settings: Settings) -> Device | None:
    if not token.startswith(_PREFIX) or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token.removeprefix(_PREFIX), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    body, mark = raw[:-_MARK], raw[-_MARK:]
    if len(raw) != _BYTES or not any(hmac.compare_digest(mark, _mark(key, body)) for key in settings.accepted_keys()):
        return None
    issued_at_s = int.from_bytes(body[-_ISSUED:], "big")
    if clock.now().timestamp() - issued_at_s > limits.device_known_s:
        return None
    return Device(UUID(bytes=body[_ID : 2 * _ID]), UUID(bytes=body[:_ID]))


def _mark(key: str, body: bytes) -> bytes:
    return hmac.new(key.encode("utf-8"), b"nestor device\0" + body, hashlib.sha256).digest()[:_MARK]
