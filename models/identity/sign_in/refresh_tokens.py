"""Refresh tokens that distinguish a second browser tab from a thief.

A token is `nsr_` and base64url of the session id, 32 secret bytes, and a MAC over both. The MAC recognises every token
that this desk issued, however many exchanges ago. If the desk only compared the hashes of the last two tokens, a thief
who exchanges twice would go unnoticed.

The successor is derived from the token instead of being random. Two tabs that exchange the same token therefore get
the same successor. With random successors, the slower tab would look like a thief a quarter of an hour later. The
derivation needs SECRET_KEY, and an attacker with SECRET_KEY can sign access tokens anyway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from uuid import UUID

from models.kernel.settings import Settings

_PREFIX = "nsr_"
_SESSION, _SECRET, _MARK = 16, 32, 16  # bytes
_CHARS = 86  # base64url of 64 bytes without padding


def first(session_id: UUID, settings: Settings) -> str:
    """Return the first token of a new session, with 256 random bits."""
    return _assemble(session_id, secrets.token_bytes(_SECRET), settings)


def successor(token: str, settings: Settings) -> str:
    """Return the token for which this token is exchanged; the result is the same each time."""
    session_id = session_of(token)
    assert session_id is not None, "only a token that was found is exchanged"
    return _assemble(session_id, _mac(settings.signing_key(), b"successor", token.encode("ascii")), settings)


def session_of(token: str) -> UUID | None:
    """Return the session id that the token claims, or None if the text is not a refresh token."""
    body = _body(token)
    return None if body is None else UUID(bytes=body[:_SESSION])


def is_genuine(token: str, settings: Settings) -> bool:
    """Return True if this desk issued the token."""
    body = _body(token)
    if body is None:
        return False
    return any(
        hmac.compare_digest(body[-_MARK:], _mac(key, b"mark", body[:-_MARK])[:_MARK])
        for key in settings.accepted_keys()
    )


def _assemble(session_id: UUID, secret: bytes, settings: Settings) -> str:
    body = session_id.bytes + secret
    marked = body + _mac(settings.signing_key(), b"mark", body)[:_MARK]
    return _PREFIX + base64.urlsafe_b64encode(marked).decode("ascii").rstrip("=")


def _body(token: str) -> bytes | None:
    text = token.removeprefix(_PREFIX)
    if len(text) != _CHARS or not token.startswith(_PREFIX) or not token.isascii():
        return None
    try:
        return base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        return None


def _mac(key: str, purpose: bytes, message: bytes) -> bytes:
    """Compute a MAC with SECRET_KEY; the prefix separates it from the JWTs that the same key signs."""
    return hmac.new(key.encode("utf-8"), b"nestor refresh " + purpose + b"\0" + message, hashlib.sha256).digest()
