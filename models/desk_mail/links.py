"""Links in the desk's own mails. A link's token is derived, so neither a row nor a task holds it.

A token is `nsl_` and base64url of the link's id and a MAC over it. Who has SECRET_KEY can make tokens, but can also
sign access tokens. The area that makes a link stores the token's hash and decides whether the link is usable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from uuid import UUID

from models.kernel import settings

_PREFIX = "nsl_"
_ID_BYTES = 16
_CHARS = 64  # base64url of 48 bytes
# Message ids of mails without a ticket, and the tokens of their reply addresses.
_MESSAGE_ID = re.compile(r"<nestor\.0\.([0-9a-f]{32})\.([0-9a-f]{16})@")
_REPLY_TOKEN = re.compile(r"mail-([0-9a-f]{32})-([0-9a-f]{16})")


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


def url_by_path(path: str, link_id: UUID) -> str:
    """Return the address of a page that has the link's token in its path, for pages that need no script.

    The address reaches access logs of proxies, so such a link works once, for minutes, and only by a press.
    """
    return f"{settings.current().public_url.rstrip('/')}{path}/{token_of(link_id)}"


def message_mark(mail_id: UUID) -> str:
    """Return the unguessable part of a mail's Message-ID, by which an answer to the mail is recognised."""
    return _mac(b"message", mail_id).hex()[:16]


def reply_token(mail_id: UUID) -> str:
    """Return the token of the address for answers (desk+<token>@...), for mail programs that send no In-Reply-To."""
    return f"mail-{mail_id.hex}-{message_mark(mail_id)}"


def answered_mail(references: Iterable[str], token: str | None) -> UUID | None:
    """Return the id of the desk's own mail that a message answers, by the ids it refers to or by its reply token.

    Both carry a MAC, so nobody who has no such mail can name one. The check needs no statement.
    """
    named = [match for reference in references if (match := _MESSAGE_ID.match(reference)) is not None]
    if token is not None and (by_token := _REPLY_TOKEN.fullmatch(token)) is not None:
        named.append(by_token)
    for match in named:
        mail_id = UUID(match[1])
        if hmac.compare_digest(match[2], message_mark(mail_id)):
            return mail_id
    return None


def _mac(purpose: bytes, row_id: UUID) -> bytes:
    key = settings.current().signing_key().encode("utf-8")
    return hmac.new(key, b"nestor desk mail " + purpose + b"\0" + row_id.bytes, hashlib.sha256).digest()
