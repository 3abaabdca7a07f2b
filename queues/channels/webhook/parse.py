"""The parser: makes a message of an event by the account's rules. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel import addresses, limits
from models.kernel.open_json import JsonObject
from models.kernel.text import one_line
from models.ports.inbound import AttachmentInfo, Ignored, InboundMessage, Parsed, Unparseable
from queues.channels.webhook import ids
from queues.channels.webhook import limits as bounds
from queues.channels.webhook.account import Files, Rule
from queues.channels.webhook.config import of
from queues.described import documents, expressions
from queues.described.vocabulary import Conditions, Expression

# As seconds, this number is in the year 5138.
_MILLISECONDS_FROM = 10**11


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """Apply the first matching rule. Raises Unparseable, with the rule's number, when a required value is missing."""
    config = of(account)
    try:
        document = documents.read(raw, envelope.get("form", config.body))
    except documents.Unreadable as error:
        raise Unparseable(str(error)) from error
    rule = expressions.rule_of(config.events, document)
    if rule is None:
        if config.unmatched == "ignored":
            return Ignored("no rule of the account matches it")
        raise Unparseable("no rule of the account matches it; add one (or one that ignores it), and replay")
    number = config.events.index(rule) + 1
    if rule.ignore is not None:
        return Ignored(rule.ignore)
    return _message(rule, number, document, account)


def people(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> tuple[str, ...]:
    """Return the authors that any rule of the account names in the event."""
    config = of(account)
    try:
        document = documents.read(raw, envelope.get("form", config.body))
    except documents.Unreadable:
        return ()
    named = [expressions.text(rule.author.address, document).strip() for rule in config.events if rule.author]
    return tuple(dict.fromkeys(scoped(account.name, address) for address in named if address))


def scoped(account_name: str, address: str) -> str:
    """Return the desk's form of an author's or conversation's address: two services may both have a user 42."""
    return f"{account_name}:{ids.bounded(address)}"


def unscoped(address: str) -> str:
    """Return the service's own form of an address."""
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
    place = conversation or author
    return InboundMessage(
        author_address=author,
        author_name=expressions.text(rule.author.name, document),
        contact_address=place if contact is None else scoped(account.name, contact),
        conversation_address=conversation,
        body=body,
        external_id=_scoped_id(place, rule.message_id, document),
        references=tuple(filter(None, (_scoped_id(place, one, document) for one in rule.references))),
        subject=_subject(rule, document),
        sent_at=_sent_at(rule, document),
        edit=_holds(rule.edit, document),
        new_ticket=_holds(rule.new_ticket, document),
        locale=_locale(_optional(rule.locale, document)),
        attachments=tuple(attachments),
        verdict="pass" if rule.author.verified else "none",
        details=_details(rule, document, left_out),
    )


def _details(rule: Rule, document: Any, left_out: list[str]) -> JsonObject:
    fields = {name: expressions.value(one, document) for name, one in rule.fields.items()}
    facts = rule.author.fields if rule.author is not None else {}
    author_fields = {name: expressions.value(one, document) for name, one in facts.items()}
    told = (("fields", fields), ("author_fields", author_fields), ("left_out", left_out))
    return {name: found for name, found in told if found}


def _subject(rule: Rule, document: Any) -> str | None:
    if rule.subject is None:
        return None
    return expressions.text(rule.subject, document)


def _holds(conditions: Conditions | None, document: Any) -> bool:
    return conditions is not None and expressions.holds(conditions, document)


def _scoped_id(place: str, expression: Expression | None, document: Any) -> str | None:
    found = _optional(expression, document)
    return None if found is None else ids.scoped(place, found)


def _optional(expression: Expression | None, document: Any) -> str | None:
    if expression is None:
        return None
    found = expressions.text(expression, document)
    return found if one_line(found, bounds.address_chars_max) else None


def _body(rule: Rule, document: Any) -> str:
    if rule.text is None:
        return ""
    found = expressions.text(rule.text, document)
    if rule.text_format == "html":
        # Only workers need this module, and only for services that send HTML.
        from queues.channels.html_text import html_to_text

        found = html_to_text(found)
    return found.strip()


def _locale(found: str | None) -> str | None:
    """Return a language tag such as en or pt-BR; None for another text."""
    tag = one_line(found or "", 30).replace("_", "-")
    return tag if tag and len(tag) <= 20 and all(part.isalnum() and part.isascii() for part in tag.split("-")) else None


def _sent_at(rule: Rule, document: Any) -> datetime | None:
    """Read seconds or milliseconds since 1970, or RFC 3339; None for another value, and for a time without a zone."""
    found = None if rule.sent_at is None else expressions.value(rule.sent_at, document)
    try:
        if isinstance(found, str) and not _is_number(found):
            at = datetime.fromisoformat(found)
            return at.astimezone(UTC) if at.tzinfo is not None else None
        if isinstance(found, int | float | str) and not isinstance(found, bool):
            number = float(found)
            return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 20


def _attachments(rule: Rule, document: Any) -> tuple[list[AttachmentInfo], list[str]]:
    """Return the message's files, and a line for each file that cannot be read."""
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
    if files.base64 is not None:
        yield from _contained(filename, content_type, expressions.text(files.base64, one), left_out)
        return
    url = expressions.text(files.url, one) if files.url is not None else ""
    # The operator's setting decides whether private addresses are allowed, when the file is fetched.
    wrong = addresses.url_problem(url, private=True) if url else "no URL"
    if wrong is not None:
        left_out.append(f"{filename}: {wrong}")
        return
    # No `provider_key`: the content under a URL changes (latest.png), so each message's file is fetched anew.
    yield AttachmentInfo(filename, content_type, _size_bytes(files, one), provider_id=url)


def _contained(filename: str, content_type: str, text: str, left_out: list[str]) -> Iterator[AttachmentInfo]:
    """Read a file that the event contains in base64."""
    encoded = "".join(text.split())
    if not encoded:
        # A form sends an empty value when nobody chose a file.
        return
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        left_out.append(f"{filename}: not base64")
        return
    digest = hashlib.sha256(content).hexdigest()
    yield AttachmentInfo(filename, content_type, len(content), sha256=digest, content=content)


def _size_bytes(files: Files, one: Any) -> int:
    """Return the size that the event states; 0 when it states none."""
    size = expressions.value(files.size, one) if files.size is not None else 0
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else 0
