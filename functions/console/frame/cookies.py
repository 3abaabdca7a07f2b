"""The cookies of the console: the tokens of a session, the device, the look, and a message for the next page.

Over HTTPS their names begin with `__Host-`: a browser then accepts them only from this host, for all of its paths and
with Secure (RFC 6265bis, section 4.1.3.2), so another host of the domain cannot plant a session.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import falcon
import msgspec

from models.identity.sign_in.tokens import TokenPair
from models.kernel import limits
from models.kernel.settings import Settings

ACCESS: Final = "nestor_access"
REFRESH: Final = "nestor_refresh"
DEVICE: Final = "nestor_device"
LOOK: Final = "nestor_look"
TOAST: Final = "nestor_toast"
ATTEMPT: Final = "nestor_attempt"

# -- limits ------------------------------------------------------------------------------------------------------------
_YEAR_S: Final = 31_536_000
_TOAST_S: Final = 60  # the next page follows at once
_TOAST_CHARS_MAX: Final = 2_000  # browsers accept 4,096 bytes in a cookie


class Toast(msgspec.Struct):
    """A message that the next page shows. `undo`: the address to which a POST takes the act back."""

    text: str
    bad: bool = False
    undo: str | None = None


def is_secure(config: Settings) -> bool:
    """Return True if browsers reach this desk over HTTPS."""
    return config.public_url.lower().startswith("https://")


def read(request: falcon.Request, name: str, config: Settings) -> str | None:
    """Return the value of a cookie of ours."""
    value: str | None = request.cookies.get(_full(name, config))
    return value or None


def made(name: str, value: str, config: Settings, *, max_age_s: int) -> str:
    """Return a value of Set-Cookie. SameSite=Lax: a link in a mail opens a ticket, and no other site can post here."""
    secure = "; Secure" if is_secure(config) else ""
    return f"{_full(name, config)}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"


def of_session(pair: TokenPair, config: Settings) -> tuple[str, ...]:
    """Return the cookies of a session, and of the device if the pair names one."""
    found = (
        made(ACCESS, pair.access_token, config, max_age_s=limits.refresh_token_s),
        made(REFRESH, pair.refresh_token, config, max_age_s=limits.refresh_token_s),
    )
    if not pair.device_token:
        return found
    return (*found, made(DEVICE, pair.device_token, config, max_age_s=_YEAR_S))


def ended(config: Settings) -> tuple[str, ...]:
    """Return the cookies that end a session in the browser."""
    return tuple(made(name, "", config, max_age_s=0) for name in (ACCESS, REFRESH))


def look(value: str, config: Settings) -> str:
    """Return the cookie of theme, density and keys."""
    return made(LOOK, value, config, max_age_s=_YEAR_S)


def toast(message: Toast, config: Settings) -> str:
    """Return the cookie that carries a message to the next page, with a MAC."""
    message.text = message.text[:_TOAST_CHARS_MAX]
    body = base64.urlsafe_b64encode(msgspec.json.encode(message)).decode("ascii")
    return made(TOAST, f"{body}.{_mac(body, config)}", config, max_age_s=_TOAST_S)


def read_toast(request: falcon.Request, config: Settings) -> Toast | None:
    """Return the message of the previous page; None for a cookie that the desk did not make."""
    body, _, mac = (read(request, TOAST, config) or "").partition(".")
    if not body or not hmac.compare_digest(mac.encode(), _mac(body, config).encode()):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(body), type=Toast)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None


def without_toast(config: Settings) -> str:
    """Return the cookie that removes a message which a page has shown."""
    return made(TOAST, "", config, max_age_s=0)


def _mac(body: str, config: Settings) -> str:
    return hmac.new(config.signing_key().encode(), b"nestor toast\0" + body.encode(), hashlib.sha256).hexdigest()


def _full(name: str, config: Settings) -> str:
    return f"__Host-{name}" if is_secure(config) else name
