"""The mail of an event: raw, in base64, or put together again from fields."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from models.ports.inbound import Unparseable
from queues.channels.email.limits import addresses_max
from queues.channels.email.providers import compose, documents, limits
from queues.channels.email.providers.described.description import Fields, Rule
from queues.channels.email.providers.raw_request import envelope
from queues.described import expressions
from queues.described.vocabulary import Expression


class NoMail(Unparseable):
    """The event has no mail where the description says."""


def mail_of(rule: Rule, document: Any) -> bytes:
    """Return the mail's bytes. Raises NoMail."""
    if rule.fields is not None:
        return _composed(rule.fields, document)
    expression = rule.mail if rule.mail is not None else rule.mail_base64
    found = None if expression is None else expressions.value(expression, document)
    if not isinstance(found, str) or not found:
        raise NoMail(f"the event has no mail at {expression}")
    if rule.mail is not None:
        return found.encode("utf-8", "replace")
    try:
        # Providers wrap base64 (RFC 2045), and an ASCII text has no other bytes.
        return base64.b64decode("".join(found.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoMail(f"the mail at {expression} is not base64") from error


def envelope_of(rule: Rule, document: Any) -> dict[str, str]:
    """Return the SMTP envelope as `X-Envelope-From` and `X-Envelope-To` would have it."""
    if rule.envelope is None:
        return {}
    sender = None if rule.envelope.sender is None else expressions.value(rule.envelope.sender, document)
    recipients = _addresses(rule.envelope.to, document)
    return envelope(sender if isinstance(sender, str) else None, ", ".join(recipients) or None)


def _addresses(expression: Expression | None, document: Any) -> list[str]:
    """Return the texts at a path, which may be one text, a list of them, or several values by `[*]`."""
    if expression is None:
        return []
    if isinstance(expression, str) and expression.startswith("$"):
        found = expressions.each(expression, document)
    else:
        found = [expressions.value(expression, document)]
    flat = [text for one in found for text in documents.texts(one)]
    return [one for one in flat if one.strip()][:addresses_max]


_HEADERS = {
    "sender": "From",
    "to": "To",
    "cc": "Cc",
    "reply_to": "Reply-To",
    "subject": "Subject",
    "date": "Date",
    "message_id": "Message-ID",
    "in_reply_to": "In-Reply-To",
    "references": "References",
    "auto_submitted": "Auto-Submitted",
}
_LISTS = frozenset({"to", "cc", "reply_to"})


def _composed(fields: Fields, document: Any) -> bytes:
    told = []
    for field, header in _HEADERS.items():
        expression: Expression | None = getattr(fields, field)
        if expression is None:
            continue
        value = ", ".join(_addresses(expression, document)) if field in _LISTS else _text(expression, document)
        told.append((header, documents.bracketed(value) if field == "message_id" else value))
    headers = compose.completed(list(_headers(fields, document)), told)
    text, html = _text(fields.text, document), _text(fields.html, document)
    if not compose.has(headers, "From"):
        raise NoMail("the event has no mail: its fields name no sender")
    return compose.mail(headers, text=text, html=html, files=list(_files(fields, document)))


def _headers(fields: Fields, document: Any) -> Iterator[tuple[str, str]]:
    if fields.headers is None:
        return
    for one in expressions.each(fields.headers.each, document):
        yield _text(fields.headers.name, one), _text(fields.headers.value, one)


def _files(fields: Fields, document: Any) -> Iterator[compose.File]:
    for files in fields.files:
        for one in expressions.each(files.each, document)[: limits.download_attachments_max]:
            content_id = _text(files.content_id, one)
            yield compose.File(
                _text(files.filename, one) or "file",
                _text(files.content_type, one).partition(";")[0].strip(),
                _text(files.base64, one).encode("ascii", "replace"),
                encoded=True,
                content_id=content_id,
                inline=bool(content_id),
            )


def _text(expression: Expression | None, document: Any) -> str:
    return "" if expression is None else expressions.text(expression, document)
