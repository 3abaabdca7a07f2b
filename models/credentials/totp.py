"""Time-based one-time passwords (RFC 6238) of six digits, 30 seconds and HMAC-SHA-1, as authenticator apps make them.

RFC 6238, section 5.2, permits one step of clock drift, and requires that a code is accepted once. The caller stores the
step of the accepted code and passes it as `after`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

_STEP_S = 30
_DIGITS = 6
_DRIFT_STEPS = 1
_SECRET_BYTES = 20  # RFC 4226, section 4: at least 128 bits, 160 recommended


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def in_base32(secret: bytes) -> str:
    """Return the secret as people type it into an app."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def uri(secret: bytes, *, issuer: str, account: str) -> str:
    """Return the address that an authenticator app reads from a QR code."""
    parameters = {"secret": in_base32(secret), "issuer": issuer, "algorithm": "SHA1"}
    parameters |= {"digits": str(_DIGITS), "period": str(_STEP_S)}
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{urlencode(parameters, quote_via=quote)}"


def step_of(at: datetime) -> int:
    """Return the number of the time step of an instant."""
    return int(at.timestamp()) // _STEP_S


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226, section 5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number: int = struct.unpack_from(">I", digest, offset)[0] & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def accepted_step(secret: bytes, code: str, *, now: datetime, after: int | None) -> int | None:
    """Return the step whose code this is, within a step of `now` and later than `after`; None for any other code."""
    given = code.replace(" ", "").encode("utf-8", "replace")
    found = None
    for step in range(step_of(now) - _DRIFT_STEPS, step_of(now) + _DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given) and (after is None or step > after):
            found = step
    return found
