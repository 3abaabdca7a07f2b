"""What a report says: which of our mails it is about, and what became of that (RFC 3464, 5965, 8098; older forms as well as possible)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from models.kernel import limits as desk_limits
from models.kernel.text import one_line
from models.ports.inbound import DeliveryFailure
from queues.channels.email import limits
from queues.channels.email.judging import automatic_words as words
from queues.channels.email.reading.header_block import Headers, first_value, split_headers
from queues.channels.email.reading.headers import message_ids, text_of
from queues.channels.email.reading.mime import Part

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
_MAILER_ALONE = re.compile(r"(mailer[-_.]?daemon|mail[-_.]daemon|mdaemon)@")
_STATUS = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_STATUS_IN_TEXT = re.compile(r"(?<![\d.])(5\.\d{1,3}\.\d{1,3})(?![\d.])")
# qmail, Exim, Postfix and Notes quote the mail in their text.
_ID_IN_TEXT = re.compile(
    r"^[> \t]{0,10}(?:x-)?(?:original-)?message-id:[ \t]*(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE
)
_NO_COMPLAINTS = frozenset(["not-spam", "auth-failure", "dmarc", "opt-out-list"])


@dataclass(frozen=True, slots=True)
class Report:
    """`failure` is None when nothing failed (yet): a delay, a mail passed on. `ids`: the mail that it is about. `details`: for people."""

    failure: DeliveryFailure | None
    ids: tuple[str, ...]
    details: dict[str, Any] = field(default_factory=dict)


def report_type_of(root: Part, headers: Headers) -> str | None:
    """The kind of a report, from the header: a report without parts is one as well. Some relays wrap it into another multipart."""
    declared = (first_value(headers, b"content-type") or b"").lower()
    types = {part.content_type for part in root.leaves()}
    if declared.startswith(b"multipart/report"):
        named = root.parameters.get("report-type", "").lower()
        return named or ("disposition-notification" if "message/disposition-notification" in types else "")
    kind = declared.partition(b";")[0].strip().decode("latin-1")
    if kind in ("message/delivery-status", "message/disposition-notification", "message/feedback-report"):
        return kind.partition("/")[2]
    return "delivery-status" if types & _STATUS_TYPES else None


def report(
    root: Part, text: str, *, headers: Headers, sender: str, report_type: str | None, subject: str = ""
) -> Report | None:
    """What a mail that looks like a bounce reports; None when it reports of no delivery.

    A person may write as postmaster@, and a feedback report may be of something else than abuse: neither says that a
    mail of ours did not arrive or was unwelcome.
    """
    text = text[: limits.report_text_chars_max]
    if report_type == "feedback-report":
        return _complaint(root, text)
    if report_type not in (None, "", "delivery-status"):
        return None
    ids = tuple(dict.fromkeys([*_returned_ids(root, text), *_envelope_ids(root)]))[: limits.report_ids_max]
    recipients = [
        fields for fields in _blocks(root, _STATUS_TYPES) if _has_any(fields, b"action", b"final-recipient", b"status")
    ]
    if recipients:
        return _from_recipients(recipients, ids)
    is_told = report_type is not None or first_value(headers, b"x-failed-recipients") is not None
    looks_so = words.BOUNCE_SUBJECT.match(subject) is not None or words.BOUNCE_TEXT.search(text) is not None
    if not is_told and not _MAILER_ALONE.match(sender) and not looks_so:
        return None
    if words.DELAY.search(subject) or (words.DELAY.search(text) and not words.DIAGNOSTIC.search(text)):
        return Report(None, ids)
    return Report(_failure_in(text), ids, _failed_recipients(headers))


def read_receipt(root: Part) -> Report | None:
    """The mail that a message disposition notification (RFC 8098) is about, and what was done with it."""
    for fields in _blocks(root, frozenset(["message/disposition-notification"])):
        if _has_any(fields, b"disposition", b"original-message-id"):
            disposition = (first_value(fields, b"disposition") or b"").rpartition(b";")[2]
            return Report(
                None,
                tuple(message_ids(first_value(fields, b"original-message-id") or b"")[:1]) or _returned_ids(root, ""),
                {"read_receipt": one_line(text_of(disposition), 100).lower()},
            )
    return None


def _from_recipients(recipients: list[Headers], ids: tuple[str, ...]) -> Report:
    """The first failed recipient's reason."""
    for fields in recipients:
        status = _STATUS.match(first_value(fields, b"status") or b"")
        default = b"failed" if status is None or status[1].startswith(b"5") else b"other"
        if (first_value(fields, b"action") or default).strip().lower().startswith(b"failed"):
            said = text_of(
                (first_value(fields, b"diagnostic-code") or b"").removeprefix(b"smtp;").removeprefix(b"SMTP;")
            )
            recipient = first_value(fields, b"final-recipient") or first_value(fields, b"original-recipient") or b""
            named = one_line(text_of(recipient.rpartition(b";")[2].strip(b" <>")), desk_limits.email_address_chars_max)
            failure = DeliveryFailure(status[1].decode("ascii") if status else None, said)
            return Report(failure, ids, {"failed_recipient": named} if named else {})
    return Report(None, ids)


def _failure_in(text: str) -> DeliveryFailure:
    """What the text of an old-fashioned bounce says; it may tell of a failure without saying why."""
    status = _STATUS_IN_TEXT.search(text)
    line = words.DIAGNOSTIC.search(text)
    return DeliveryFailure(status[1] if status else None, line[0] if line else "")


def _failed_recipients(headers: Headers) -> dict[str, Any]:
    named = one_line(text_of(first_value(headers, b"x-failed-recipients") or b""), desk_limits.email_address_chars_max)
    return {"failed_recipient": named} if named else {}


def _complaint(root: Part, text: str) -> Report | None:
    """An abuse report (RFC 5965); None for reports of other things, e.g. of DMARC."""
    for fields in _blocks(root, frozenset(["message/feedback-report"])):
        kind = (first_value(fields, b"feedback-type") or b"").decode("latin-1").strip().lower()
        if not kind or kind in _NO_COMPLAINTS:
            continue
        recipient = first_value(fields, b"original-rcpt-to") or b""
        named = one_line(text_of(recipient.strip(b" <>")), desk_limits.email_address_chars_max)
        failure = DeliveryFailure(None, f"complaint: {kind}", kind="complaint")
        return Report(failure, _returned_ids(root, text), {"failed_recipient": named} if named else {})
    return None


def _blocks(root: Part, content_types: frozenset[str]) -> Iterator[Headers]:
    """The blocks of header lines of a report's machine-readable part."""
    for part in root.leaves():
        if part.content_type not in content_types:
            continue
        content, at = part.content(limits.report_bytes_max), 0
        for _ in range(limits.report_blocks_max):
            at += len(content) - at - len(content[at:].lstrip())
            if at >= len(content):
                break
            fields, following = split_headers(content, at)
            if following <= at:
                break
            at = following
            yield fields


def _has_any(fields: Headers, *names: bytes) -> bool:
    return any(first_value(fields, name) is not None for name in names)


def _envelope_ids(root: Part) -> list[str]:
    """The id that we gave with the envelope (RFC 3461 ENVID), when it is a Message-ID."""
    found: list[str] = []
    for fields in _blocks(root, _STATUS_TYPES):
        value = first_value(fields, b"original-envelope-id") or first_value(fields, b"x-original-message-id") or b""
        found += message_ids(value)[:1]
    return [one for one in found if "@" in one]


def _returned_ids(root: Part, text: str) -> tuple[str, ...]:
    """The Message-ID of the mail that came back, whole or only its headers."""
    found: list[str] = []
    for part in root.leaves():
        if part.content_type in _RETURNED:
            fields, _ = split_headers(part.content(limits.report_bytes_max).lstrip())
            found += message_ids(first_value(fields, b"message-id") or b"")[:1]
    for _, match in zip(range(limits.report_ids_max), _ID_IN_TEXT.finditer(text), strict=False):
        found += message_ids(match[1].encode())[:1]
    return tuple(dict.fromkeys(found))[: limits.report_ids_max]
