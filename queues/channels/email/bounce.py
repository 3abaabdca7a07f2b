"""What a bounce says: which of our mails it is about, and why that did not arrive (RFC 3464; older forms as well as possible)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.inbox.port import DeliveryFailure
from queues.channels.email import mime_limits
from queues.channels.email.header_block import Headers, first_value, split_headers
from queues.channels.email.headers import message_ids, text_of
from queues.channels.email.mime import Part
from queues.channels.text import one_line

_RETURNED = frozenset(
    {
        "message/rfc822",
        "message/global",
        "message/global-headers",
        "message/rfc822-headers",
        "text/rfc822-headers",
    }
)
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MAILER = re.compile(r"mail(er)?-daemon@")
_STATUS = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")
# qmail and old Exim quote the mail in their text.
_ID_IN_TEXT = re.compile(r"^[> \t]{0,10}message-id:[ \t]*(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Report:
    """`failure` is None when nothing failed (yet): a delay, a mail passed on. `ids`: the mail that it is about."""

    failure: DeliveryFailure | None
    ids: tuple[str, ...]


def report(root: Part, text: str, *, headers: Headers, sender: str, report_type: str | None) -> Report | None:
    """What a mail that looks like a bounce reports; None when it reports of no delivery.

    A person may write as postmaster@, and a report may be of abuse (RFC 5965): neither says that a mail did not arrive.
    """
    if report_type not in (None, "", "delivery-status"):
        return None
    is_from_mailer = _MAILER.match(sender) is not None
    if report_type is None and not is_from_mailer and first_value(headers, b"x-failed-recipients") is None:
        return None
    return Report(_failure(list(_recipients(root))), _returned_ids(root, text))


def _failure(recipients: list[Headers]) -> DeliveryFailure | None:
    """The first failed recipient's reason; a bounce that names no recipient tells of a failure without saying why."""
    for fields in recipients:
        if (first_value(fields, b"action") or b"failed").strip().lower().startswith(b"failed"):
            status = _STATUS.match(first_value(fields, b"status") or b"")
            said = text_of(first_value(fields, b"diagnostic-code") or b"")
            return DeliveryFailure(
                status[1].decode("ascii") if status else None,
                one_line(said, mime_limits.diagnostic_chars_max),
            )
    return None if recipients else DeliveryFailure(None, "")


def _recipients(root: Part) -> Iterator[Headers]:
    """The blocks of the delivery status that are about a recipient."""
    for part in root.leaves():
        if part.content_type not in _STATUS_TYPES:
            continue
        content, at = part.content(mime_limits.report_bytes_max), 0
        for _ in range(mime_limits.report_blocks_max):
            if at >= len(content):
                break
            at += len(content[at:]) - len(content[at:].lstrip())
            fields, at = split_headers(content, at)
            if first_value(fields, b"action") or first_value(fields, b"final-recipient"):
                yield fields


def _returned_ids(root: Part, text: str) -> tuple[str, ...]:
    """The Message-ID of the mail that came back, whole or only its headers."""
    found: list[str] = []
    for part in root.leaves():
        if part.content_type in _RETURNED:
            fields, _ = split_headers(part.content(mime_limits.report_bytes_max))
            found += message_ids(first_value(fields, b"message-id") or b"")[:1]
    for _, match in zip(range(mime_limits.report_ids_max), _ID_IN_TEXT.finditer(text), strict=False):
        found += message_ids(match[1].encode())[:1]
    return tuple(dict.fromkeys(found))[: mime_limits.report_ids_max]
