"""Refresh tokens that tell a second tab from a thief.

A token is `nsr_` and base64url of: session id, 32 secret bytes, and our mark (a MAC) over both. The mark recognises a
token that we once gave out, however many exchanges ago; with the hashes of the last two alone, a thief who exchanges
twice would go unseen. The successor is derived from the token instead of drawn, so two tabs that exchange the same
token get the same next one; with two drawn ones the slower tab would look like a thief a quarter of an hour later.
Without SECRET_KEY nobody can derive it, and who has SECRET_KEY signs access tokens anyway.
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
    """The token of a new session: 256 random bits."""
    return _assemble(session_id, secrets.token_bytes(_SECRET), settings)


def successor(token: str, settings: Settings) -> str:
    """The token that this one is exchanged for; the same each time."""
    session_id = session_of(token)
    assert session_id is not None, "only a token that was found is exchanged"
    return _assemble(session_id, _mac(settings, b"successor", token.encode("ascii")), settings)


def session_of(token: str) -> UUID | None:
    """The session that a token claims to belong to, or None when it is no refresh token at all."""
    body = _body(token)
    return None if body is None else UUID(bytes=body[:_SESSION])


def is_genuine(token: str, settings: Settings) -> bool:
    """Whether we once gave this token out."""
    body = _body(token)
    if body is None:
        return False
    return hmac.compare_digest(body[-_MARK:], _mac(settings, b"mark", body[:-_MARK])[:_MARK])


def _assemble(session_id: UUID, secret: bytes, settings: Settings) -> str:
    body = session_id.bytes + secret
    marked = body + _mac(settings, b"mark", body)[:_MARK]
    return _PREFIX + base64.urlsafe_b64encode(marked).decode("ascii").rstrip("=")


def _body(token: str) -> bytes | None:
    text = token.removeprefix(_PREFIX)
    if len(text) != _CHARS or not token.startswith(_PREFIX) or not token.isascii():
        return None
    try:
        return base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        return None


def _mac(settings: Settings, purpose: bytes, message: bytes) -> bytes:
    """Keyed by SECRET_KEY; the prefix keeps it apart from the JWTs that the same key signs."""
    key = settings.signing_key().encode("utf-8")
    return hmac.new(key, b"nestor refresh " + purpose + b"\0" + message, hashlib.sha256).digest()
