"""What the webhook function needs to know about mail: whose request it is, and which mail.

A retry of the same mail has other Received lines, so the key is the Message-ID with a digest of what stays the same; two
mails that share an id by mistake differ in that digest. Linear, without the email package: this runs at every cold start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.inbox.port import EventKey, IngressRequest, Received, ReceivedEvent
from models.kernel import limits
from models.kernel.errors import Unauthenticated, UnsupportedMediaType
from models.kernel.settings import Settings
from queues.channels.email import mime_limits
from queues.channels.email.header_block import first_value, mail_start, split_headers
from queues.channels.text import check_secret, one_line, short_hash

body_bytes_max = limits.webhook_body_bytes_max


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """True when the bearer token is the account's. Raises Unauthenticated else."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else None
    check_secret(given, account.credential("bearer", settings))
    return True


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Never needed: the header proves it all."""
    raise Unauthenticated("this webhook needs the channel account's secret")


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """The one mail of the request. Raises UnsupportedMediaType unless it is sent as message/rfc822."""
    content_type = request.content_type.partition(";")[0].strip().lower()
    if content_type != "message/rfc822":
        found = one_line(content_type, 80) or "none"
        raise UnsupportedMediaType(f"send the raw mail as message/rfc822; the content type found is {found}")
    return Received((ReceivedEvent(mail_key(request.body, _envelope(request))),))


def mail_key(raw: bytes, envelope: dict[str, str]) -> EventKey:
    """The name of a raw mail, whichever way it came: webhook, IMAP, or cut out of a provider's form."""
    whole = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    headers, body_start = split_headers(raw, mail_start(raw))
    if not headers:
        reason = "the body is empty" if not raw.strip() else "the body has no header line; it is not a mail"
        return EventKey(whole, None, envelope, unreadable=reason)
    sender = first_value(headers, b"from")
    ordering_key = None if sender is None else f"from:{short_hash(sender.lower())}"
    message_id = _key_form(first_value(headers, b"message-id") or b"")
    if not message_id:
        return EventKey(whole, ordering_key, envelope)
    digest = hashlib.sha256()
    digest.update((sender or b"") + b"\n" + (first_value(headers, b"date") or b"") + b"\n")
    digest.update(memoryview(raw)[body_start:])
    return EventKey(f"mid:{message_id}:{digest.hexdigest()[:16]}", ordering_key, envelope)


def _key_form(message_id: bytes) -> str:
    """The id's printable characters, cut; its digest keeps ids apart that look alike then."""
    text = message_id.decode("ascii", "replace")
    return "".join(character for character in text if "!" <= character <= "~")[
        : mime_limits.event_id_chars_max
    ]


def _envelope(request: IngressRequest) -> dict[str, str]:
    """The SMTP envelope that the provider tells; an empty `from` is the null sender, an absent one is unknown."""
    found = {"from": request.headers.get("x-envelope-from"), "to": request.headers.get("x-envelope-to")}
    return {
        side: one_line(value, mime_limits.envelope_chars_max)
        for side, value in found.items()
        if value is not None
    }
