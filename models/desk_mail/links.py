"""Links in the desk's own mails. A link's token is derived, so neither a row nor a task holds it.

A token is `nsl_` and base64url of the link's id and a MAC over it. Who has SECRET_KEY can make tokens, but can also
sign access tokens. The area that makes a link stores the token's hash and decides whether the link is usable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from models.kernel import settings

_PREFIX = "nsl_"
_ID_BYTES = 16
_CHARS = 64  # base64url of 48 bytes


def token_of(link_id: UUID) -> str:
    """Return the token of a link; it is the same each time."""
    return _PREFIX + base64.urlsafe_b64encode(link_id.bytes + _mac(b"link", link_id)).decode("ascii")


def id_of(token: str) -> UUID | None:
    """Return the link's id if this desk made the token, else None."""
    text = token.removeprefix(_PREFIX)
    if len(text) != _CHARS or not token.startswith(_PREFIX) or not token.isascii():
        return None
    try:
        body = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    link_id = UUID(bytes=body[:_ID_BYTES])
    return link_id if hmac.compare_digest(body[_ID_BYTES:], _mac(b"link", link_id)) else None


def url(path: str, link_id: UUID) -> str:
    """Return the address of a page with the link's token behind `#`.

    A browser sends no fragment to a server, so the token reaches no access log and no Referer header
    (RFC 9110, section 10.1.3).
    """
    return f"{settings.current().public_url.rstrip('/')}{path}#token={token_of(link_id)}"


def message_mark(mail_id: UUID) -> str:
    """Return the unguessable part of a mail's Message-ID, by which an answer to the mail is recognised."""
    return _mac(b"message", mail_id).hex()[:16]


def _mac(purpose: bytes, row_id: UUID) -> bytes:
    key = settings.current().signing_key().encode("utf-8")
    return hmac.new(key, b"nestor desk mail " + purpose + b"\0" + row_id.bytes, hashlib.sha256).digest()
