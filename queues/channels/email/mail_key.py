"""The key of a mail, by which a repeat of the mail is recognised, however it arrives.

A retry of the same mail has other Received lines, so the key is the Message-ID with a digest of the parts that stay the
same. Two mails that share an id by mistake differ in the digest. The key is computed at each cold start, so it is
linear and does not load the email package.
"""

from __future__ import annotations

import hashlib

from models.ports.inbound import EventKey
from queues.channels.email import limits
from queues.channels.email.reading.header_block import first_value, mail_start, split_headers
from queues.channels.secrets import short_hash


def mail_key(raw: bytes, envelope: dict[str, str]) -> EventKey:
    """Return the key of a raw mail from a webhook, from IMAP, or from a provider's form."""
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
    """Return the printable characters of the id, cut to a bound; the digest tells cut ids apart."""
    text = message_id.decode("ascii", "replace")
    return "".join(character for character in text if "!" <= character <= "~")[: limits.event_id_chars_max]
