"""The caller of a request of the console: the session of the cookies, and the proof that a form is ours.

A form of another site fails twice: the browser says where a request comes from (Sec-Fetch-Site, Origin), and a form has
a token of the session. The token is masked anew on each page, because a page is compressed (BREACH,
https://breachattack.com).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import falcon

from functions.console.frame import cookies
from functions.http.operations import AnyCall
from models.identity.rules import Principal
from models.identity.sign_in import sessions, tokens
from models.kernel.errors import Forbidden, Unauthenticated
from models.kernel.settings import Settings

FIELD: Final = "csrf"
_WRITING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_TOKEN_BYTES: Final = 16


class ForeignForm(Forbidden):
    """The form did not come from a page of this desk, or the page is too old. Reload it and try again."""

    code = "foreign_form"


def authenticate(call: AnyCall, resp: falcon.Response, config: Settings) -> Principal:
    """Return the user of the session, and set the next pair of tokens when the access token has expired.

    Raises Unauthenticated, or ForeignForm for a request that another site caused.
    """
    request = call.request
    if request.method in _WRITING:
        check_origin(request, config)
    access = cookies.read(request, cookies.ACCESS, config) or ""
    if access.count(".") == 2:  # an API key is no session
        try:
            return tokens.authenticate(access, config)
        except tokens.TokenExpired:
            pass  # the refresh token decides
    refresh = cookies.read(request, cookies.REFRESH, config)
    if refresh is None:
        raise Unauthenticated()
    pair = sessions.refresh(refresh, settings=config)
    principal = tokens.authenticate(pair.access_token, config)
    for cookie in cookies.of_session(pair, config):
        resp.append_header("Set-Cookie", cookie)
    return principal


def check_origin(request: falcon.Request, config: Settings) -> None:
    """Raise ForeignForm unless the browser says that a page of this host sends the request.

    Sources: Fetch Metadata Request Headers, section 2.3; RFC 6454, section 7.
    """
    site = request.get_header("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise ForeignForm()
        return
    origin = urlsplit(request.get_header("Origin") or "")
    own = {(request.get_header("Host") or "").lower(), urlsplit(config.public_url).netloc.lower()}
    if not origin.netloc or origin.netloc.lower() not in own:
        raise ForeignForm()


def form_token(session_id: UUID, config: Settings) -> str:
    """Return a token for a form of this session, different on each page."""
    pad = secrets.token_bytes(_TOKEN_BYTES)
    masked = bytes(a ^ b for a, b in zip(pad, _secret(session_id, config), strict=True))
    return base64.urlsafe_b64encode(pad + masked).decode("ascii").rstrip("=")


def check_form(token: str | None, session_id: UUID | None, config: Settings) -> None:
    """Raise ForeignForm unless the token belongs to the session."""
    try:
        body = base64.urlsafe_b64decode((token or "") + "==")
    except (binascii.Error, ValueError) as error:
        raise ForeignForm() from error
    if session_id is None or len(body) != 2 * _TOKEN_BYTES:
        raise ForeignForm()
    found = bytes(a ^ b for a, b in zip(body[:_TOKEN_BYTES], body[_TOKEN_BYTES:], strict=True))
    if not hmac.compare_digest(found, _secret(session_id, config)):
        raise ForeignForm()


def _secret(session_id: UUID, config: Settings) -> bytes:
    key = config.signing_key().encode()
    return hmac.new(key, b"nestor form\0" + session_id.bytes, hashlib.sha256).digest()[:_TOKEN_BYTES]
