"""Signed links to files: the holder of a link can download the file for a few minutes.

A browser follows a link without the Authorization header, so the link itself carries the authorisation. Files are best
served from an origin other than the console's, because such an origin has no session.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from models.kernel import clock, limits
from models.kernel.errors import NotFound
from models.kernel.settings import Settings

_MAC_BYTES = 32
_BODY_BYTES = 16 + 6 + 1  # attachment id, expiry in seconds, inline flag
_PURPOSE = b"nestor attachment links, 1"  # one key for one purpose: this signature is not valid as any other token
_GONE = "this link is not valid, or not any more; get a new one from the message"


@dataclass(frozen=True, slots=True)
class Link:
    """The contents of a valid link."""

    attachment_id: UUID
    inline: bool


def url(attachment_id: UUID, config: Settings, *, inline: bool = False) -> str:
    """Return a link to the file that works for `limits.file_link_s` seconds. `inline`: the link displays a picture
    inline, only where files have their own origin.
    """
    base = (config.files_url or config.public_url).rstrip("/")
    return f"{base}/files/{_token(attachment_id, config, inline=inline)}"


def _token(attachment_id: UUID, config: Settings, *, inline: bool) -> str:
    expires_at = int(clock.now().timestamp() + limits.file_link_s)
    body = attachment_id.bytes + expires_at.to_bytes(6, "big") + (b"\x01" if inline else b"\x00")
    return _encoded(body + _mac(body, config))


def _encoded(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode("ascii")


def read(token: str, config: Settings) -> Link:
    """Return the contents of a link. Raises the same NotFound for a forged, a malformed and an expired link."""
    try:
        whole = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotFound(_GONE) from error
    body, mac = whole[:_BODY_BYTES], whole[_BODY_BYTES:]
    right = hmac.compare_digest(mac, _mac(body, config))
    expires_at = int.from_bytes(body[16:22], "big")
    one_of_ours = len(whole) == _BODY_BYTES + _MAC_BYTES and _encoded(whole) == token
    if not right or not one_of_ours or clock.now().timestamp() >= expires_at:
        raise NotFound(_GONE)
    return Link(UUID(bytes=body[:16]), inline=body[22] == 1 and has_own_origin(config))


def _mac(body: bytes, config: Settings) -> bytes:
    key = hmac.new(config.signing_key().encode(), _PURPOSE, hashlib.sha256).digest()
    return hmac.new(key, body, hashlib.sha256).digest()


def has_own_origin(config: Settings) -> bool:
    """Return True if files have an origin other than the console's."""
    return bool(config.files_url) and _origin(config.files_url) != _origin(config.public_url)


def serves(host: str, config: Settings) -> bool:
    """Return True if this Host serves files. Every host serves them unless FILES_URL names one."""
    return not config.files_url or host.lower() == _origin(config.files_url)[1]


def _origin(url_text: str) -> tuple[str, str]:
    """Return the scheme and host of a URL, without the scheme's default port, as browsers do."""
    parts = urlsplit(url_text.lower())
    standard = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.scheme, parts.netloc.removesuffix(standard) if standard else parts.netloc
