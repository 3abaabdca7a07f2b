"""Read reports about our mails: bounces (RFC 3464), abuse reports (RFC 5965), read receipts (RFC 8098), older forms.

A report names the mail that it is about and says whether the mail failed, was delayed, was read or was called abuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from models.kernel import limits as desk_limits
from models.kernel.open_json import JsonObject
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
# qmail, Exim, Postfix and Notes quote the returned mail in their text.
_ID_IN_TEXT = re.compile(
    r"^[> \t]{0,10}(?:x-)?(?:original-)?message-id:[ \t]*(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE
)
_NO_COMPLAINTS = frozenset(["not-spam", "auth-failure", "dmarc", "opt-out-list"])


@dataclass(frozen=True, slots=True)
class Report:
    """A report about a mail of ours."""

    # None when no delivery failed (yet): a delay, a relayed mail.
    failure: DeliveryFailure | None
    # The Message-IDs of the mail that the report is about.
    ids: tuple[str, ...]
    # For people.
    details: JsonObject = field(default_factory=dict)


NO_REPORT = Report(None, ())


def report_type_of(root: Part, headers: Headers) -> str | None:
    """Return the report type: by the header, also of a report without parts, or by a part that a relay has wrapped."""
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
    """Read a mail that looks like a bounce; None when it reports on no delivery.

    A person may write as postmaster@, and a feedback report may be about something else than abuse. Neither says that
    a mail of ours failed or was unwelcome.
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
    is_declared = report_type is not None or first_value(headers, b"x-failed-recipients") is not None
    if not is_declared and not _MAILER_ALONE.match(sender) and not _reads_as_bounce(subject, text):
        return None
    if _reads_as_delay(subject, text):
        return Report(None, ids)
    return Report(_failure_in(text), ids, _failed_recipients(headers))


def _reads_as_bounce(subject: str, text: str) -> bool:
    return words.BOUNCE_SUBJECT.match(subject) is not None or words.BOUNCE_TEXT.search(text) is not None


def _reads_as_delay(subject: str, text: str) -> bool:
    if words.DELAY.search(subject):
        return True
    return words.DELAY.search(text) is not None and not words.DIAGNOSTIC.search(text)


def read_receipt(root: Part) -> Report | None:
    """Read a message disposition notification (RFC 8098): the mail that it is about, and what was done with it."""
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
    """Report the failure of the first failed recipient (RFC 3464 section 2.3)."""
    for fields in recipients:
        status = _STATUS.match(first_value(fields, b"status") or b"")
        default = b"failed" if status is None or status[1].startswith(b"5") else b"other"
        if (first_value(fields, b"action") or default).strip().lower().startswith(b"failed"):
            failure = DeliveryFailure(status[1].decode("ascii") if status else None, _diagnostic(fields))
            recipient = first_value(fields, b"final-recipient") or first_value(fields, b"original-recipient") or b""
            return Report(failure, ids, _failed_recipient(recipient.rpartition(b";")[2].strip(b" <>")))
    return Report(None, ids)


def _diagnostic(fields: Headers) -> str:
    value = first_value(fields, b"diagnostic-code") or b""
    return text_of(value.removeprefix(b"smtp;").removeprefix(b"SMTP;"))


def _failed_recipient(address: bytes) -> JsonObject:
    named = one_line(text_of(address), desk_limits.email_address_chars_max)
    return {"failed_recipient": named} if named else {}


def _failure_in(text: str) -> DeliveryFailure:
    """Read the failure from the text of an old-fashioned bounce, which may give no reason."""
    status = _STATUS_IN_TEXT.search(text)
    line = words.DIAGNOSTIC.search(text)
    return DeliveryFailure(status[1] if status else None, line[0] if line else "")


def _failed_recipients(headers: Headers) -> JsonObject:
    return _failed_recipient(first_value(headers, b"x-failed-recipients") or b"")


def _complaint(root: Part, text: str) -> Report | None:
    """Read an abuse report (RFC 5965); None for reports about other things, such as DMARC."""
    for fields in _blocks(root, frozenset(["message/feedback-report"])):
        kind = (first_value(fields, b"feedback-type") or b"").decode("latin-1").strip().lower()
        if not kind or kind in _NO_COMPLAINTS:
            continue
        failure = DeliveryFailure(None, f"complaint: {kind}", kind="complaint")
        recipient = first_value(fields, b"original-rcpt-to") or b""
        return Report(failure, _returned_ids(root, text), _failed_recipient(recipient.strip(b" <>")))
    return None


def _blocks(root: Part, content_types: frozenset[str]) -> Iterator[Headers]:
    """Yield the blocks of header lines in a report's machine-readable part."""
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
    """Return the ids that we gave with the envelope (RFC 3461 section 4.4, ENVID), if they are Message-IDs."""
    found: list[str] = []
    for fields in _blocks(root, _STATUS_TYPES):
        value = first_value(fields, b"original-envelope-id") or first_value(fields, b"x-original-message-id") or b""
        found += message_ids(value)[:1]
    return [one for one in found if "@" in one]


def _returned_ids(root: Part, text: str) -> tuple[str, ...]:
    """Return the Message-ID of the returned mail, which came whole or with its headers only."""
    found: list[str] = []
    for part in root.leaves():
        if part.content_type in _RETURNED:
            fields, _ = split_headers(part.content(limits.report_bytes_max).lstrip())
            found += message_ids(first_value(fields, b"message-id") or b"")[:1]
    for _, match in zip(range(limits.report_ids_max), _ID_IN_TEXT.finditer(text), strict=False):
        found += message_ids(match[1].encode())[:1]
    return tuple(dict.fromkeys(found))[: limits.report_ids_max]
