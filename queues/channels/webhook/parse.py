"""Read an event into a message by its account's rules. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel import addresses, limits
from models.ports.inbound import AttachmentInfo, Ignored, InboundMessage, Parsed, Unparseable
from queues.channels.text import clean, cut, one_line
from queues.channels.webhook import documents, expressions, ids
from queues.channels.webhook import limits as bounds
from queues.channels.webhook.account import Files, Rule
from queues.channels.webhook.config import of

_MILLISECONDS_FROM = 10**11  # seconds would be the year 5138


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """What the first matching rule makes of the event. Raises Unparseable, with the rule's number, when something is missing."""
    config = of(account)
    try:
        document = documents.read(raw, envelope.get("form", config.body))
    except documents.Unreadable as error:
        raise Unparseable(str(error)) from error
    rule = expressions.rule_of(config, document)
    if rule is None:
        if config.unmatched == "ignored":
            return Ignored("no rule of the account matches it")
        raise Unparseable("no rule of the account matches it; add one (or one that ignores it), and replay")
    number = config.events.index(rule) + 1
    if rule.ignore is not None:
        return Ignored(rule.ignore)
    return _message(rule, number, document, account)


def scoped(account_name: str, address: str) -> str:
    """An author's or a conversation's address in the desk: two services may both have a user 42."""
    return f"{account_name}:{ids.bounded(address)}"


def unscoped(address: str) -> str:
    """The service's own form of an address."""
    return address.partition(":")[2]


def _message(rule: Rule, number: int, document: Any, account: ChannelAccount) -> InboundMessage:
    assert rule.author is not None, "the file's check asks for it"
    address = expressions.text(rule.author.address, document).strip()
    if not address:
        raise Unparseable(f"rule {number}: author.address gives nothing for this event")
    attachments, left_out = _attachments(rule, document)
    body = _body(rule, document)
    if not body and not attachments:
        raise Unparseable(f"rule {number}: text gives nothing for this event")
    author = scoped(account.name, address)
    thread = _optional(rule.thread, document)
    conversation = None if thread is None else scoped(account.name, thread)
    contact = _optional(rule.contact, document)
    details: dict[str, Any] = {}
    if rule.fields:
        details["fields"] = {
            name: documents.storable(expressions.value(one, document)) for name, one in rule.fields.items()
        }
    if left_out:
        details["left_out"] = left_out
    place = conversation or author
    message_id = _optional(rule.message_id, document)
    answered = [found for one in rule.references if (found := _optional(one, document))]
    references = [found for one in answered if (found := ids.scoped(place, one))]
    return InboundMessage(
        author_address=author,
        author_name=one_line(expressions.text(rule.author.name, document), limits.name_chars_max),
        contact_address=scoped(account.name, contact) if contact else conversation or author,
        conversation_address=conversation,
        body=body,
        external_id=None if message_id is None else ids.scoped(place, message_id),
        references=tuple(references),
        subject=None
        if rule.subject is None
        else one_line(expressions.text(rule.subject, document), limits.ticket_title_chars_max),
        sent_at=_instant(None if rule.sent_at is None else expressions.value(rule.sent_at, document)),
        edit=rule.edit is not None and expressions.holds(rule.edit, document),
        new_ticket=rule.new_ticket is not None and expressions.holds(rule.new_ticket, document),
        locale=_locale(_optional(rule.locale, document)),
        attachments=tuple(attachments),
        verdict="pass" if rule.author.verified else "none",
        details=details,
    )


def _optional(expression: Any, document: Any) -> str | None:
    if expression is None:
        return None
    found = expressions.text(expression, document)
    return found if one_line(found, bounds.address_chars_max) else None


def _body(rule: Rule, document: Any) -> str:
    if rule.text is None:
        return ""
    found = expressions.text(rule.text, document)
    if rule.text_format == "html":
        from queues.channels.html_text import (
            html_to_text,
        )  # a worker's, and only where a service sends HTML

        found = html_to_text(found)
    return cut(clean(found).strip(), limits.message_body_chars_max)


def _locale(found: str | None) -> str | None:
    """A language tag's form, such as en or pt-BR; what is none says nothing."""
    tag = one_line(found or "", 30).replace("_", "-")
    return tag if tag and len(tag) <= 20 and all(part.isalnum() and part.isascii() for part in tag.split("-")) else None


def _instant(found: Any) -> datetime | None:
    """Seconds or milliseconds since 1970, or RFC 3339; None for what is none of them, or has no zone."""
    if isinstance(found, str) and found.isascii() and found.replace(".", "", 1).isdigit() and len(found) < 20:
        found = float(found)
    try:
        if isinstance(found, int | float) and not isinstance(found, bool):
            return datetime.fromtimestamp(found / 1000 if found >= _MILLISECONDS_FROM else found, UTC)
        if isinstance(found, str):
            at = datetime.fromisoformat(found)
            return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _attachments(rule: Rule, document: Any) -> tuple[list[AttachmentInfo], list[str]]:
    """The message's files, and a line for each that could not be read."""
    found: list[AttachmentInfo] = []
    left_out: list[str] = []
    for files in rule.attachments:
        for one in expressions.each(files.each, document):
            if len(found) + len(left_out) >= bounds.attachments_max:
                left_out.append("further files")
                return found, left_out
            for attachment in _attachment(files, one, left_out):
                found.append(attachment)
    return found, left_out


def _attachment(files: Files, one: Any, left_out: list[str]) -> Iterator[AttachmentInfo]:
    filename = one_line(expressions.text(files.filename, one), limits.name_chars_max) or "file"
    content_type = one_line(expressions.text(files.content_type, one), 100).lower() or "application/octet-stream"
    size = expressions.value(files.size, one) if files.size is not None else 0
    size_bytes = size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else 0
    if files.base64 is not None:
        encoded = "".join(expressions.text(files.base64, one).split())
        if not encoded:
            return  # a form's file that nobody chose
        try:
            content = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            left_out.append(f"{filename}: not base64")
            return
        digest = hashlib.sha256(content).hexdigest()
        yield AttachmentInfo(filename, content_type, len(content), sha256=digest, content=content)
        return
    url = expressions.text(files.url, one) if files.url is not None else ""
    # Whether private addresses are allowed is the operator's setting, looked at when the file is fetched.
    wrong = addresses.url_problem(url, private=True) if url else "no URL"
    if wrong is not None:
        left_out.append(f"{filename}: {wrong}")
        return
    # No `provider_key`: what lies under a URL changes (latest.png), so each message's file is fetched anew.
    yield AttachmentInfo(filename, content_type, size_bytes, provider_id=url)
