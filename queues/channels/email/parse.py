"""Raw mail becomes a message. Pure, bounded in time and memory; only a mail without a sender is unparseable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from models.channels.accounts import ChannelAccount
from models.inbox.port import AttachmentInfo, Ignored, InboundMessage, Unparseable
from models.kernel import limits
from queues.channels.email import mime_limits
from queues.channels.email.automatic import classify
from queues.channels.email.bounce import report
from queues.channels.email.charset import decode
from queues.channels.email.header_block import Headers, first_value
from queues.channels.email.headers import Address, addresses, instant, message_ids, text_of
from queues.channels.email.html_text import html_to_text
from queues.channels.email.mime import Part, Reader
from queues.channels.email.visible_reply import visible_reply
from queues.channels.text import clean, cut, one_line

_LOCALE = re.compile(rb"\s*([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})\s*(,|$)")
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/plain": "txt",
    "text/html": "html",
    "text/csv": "csv",
}


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> InboundMessage | Ignored:
    """Read a mail. Raises Unparseable when nobody can be found who sent it."""
    reader = Reader(raw)
    root = reader.read()
    headers = root.headers
    sender = _sender(headers, envelope)
    charset = next(
        (part.parameters["charset"] for part in root.leaves() if "charset" in part.parameters), None
    )
    written = text_of(first_value(headers, b"subject") or b"", raw_charset=charset)
    subject = one_line(written, limits.ticket_title_chars_max)
    attachments = _attachments(root, raw, reader.left_out)
    full = clean(_text(root, raw, reader.left_out)).strip("\n")
    body = visible_reply(full, subject=subject).strip()
    if reader.left_out:
        body = f"{body}\n[Not all of this mail was read: {'; '.join(reader.left_out)}. It is kept whole.]".strip()
    body = body or _stand_in(attachments)
    body = cut(body, limits.message_body_chars_max)
    own_ids = message_ids(first_value(headers, b"message-id") or b"")
    report_type = _report_type(root, headers)
    automatic = classify(
        headers,
        sender=sender.address,
        account_address=str(account.config.get("address", "")),
        envelope=envelope,
        report_type=report_type,
    )
    references, failure = _references(headers), None
    if automatic == "bounce":
        told = report(root, raw, full, headers=headers, sender=sender.address, report_type=report_type)
        if told is not None:
            if told.failure is None:
                return Ignored("a report of a mail that is late or was passed on; nothing failed")
            failure = told.failure
            references = tuple(dict.fromkeys([*told.ids, *references]))[: mime_limits.references_max]
    return InboundMessage(
        author_address=sender.address,
        author_name=sender.name or sender.address.partition("@")[0],
        contact_address=sender.address,
        body=body,
        external_id=own_ids[0] if own_ids else None,
        references=references,
        subject=subject or None,
        body_full=full if full and full != body else None,
        sent_at=instant(first_value(headers, b"date") or b""),
        automatic=automatic,
        failure=failure,
        locale=_locale(headers),
        attachments=attachments,
    )


def _sender(headers: Headers, envelope: dict[str, str]) -> Address:
    """Who sent it: From, and only without a usable one the envelope. Never Reply-To: anybody could write as anybody."""
    candidates = (
        first_value(headers, b"from"),
        first_value(headers, b"return-path"),
        envelope.get("from", "").encode("utf-8", "replace"),
    )
    for value in candidates:
        found = addresses(value) if value else []
        if found:
            return found[0]
    raise Unparseable("no sender: From, Return-Path and the envelope hold no e-mail address")


def _references(headers: Headers) -> tuple[str, ...]:
    """The ids of In-Reply-To, then those of References from the newest back."""
    answered = message_ids(first_value(headers, b"in-reply-to") or b"")
    thread = message_ids(first_value(headers, b"references") or b"")
    return tuple(dict.fromkeys([*answered, *reversed(thread)]))[: mime_limits.references_max]


def _locale(headers: Headers) -> str | None:
    match = _LOCALE.match(first_value(headers, b"content-language") or b"")
    return match[1].decode("ascii") if match else None


def _report_type(root: Part, headers: Headers) -> str | None:
    """The kind of a multipart/report, from the header: a report without parts is one as well."""
    declared = (first_value(headers, b"content-type") or b"").lower()
    return (
        root.parameters.get("report-type", "").lower() if declared.startswith(b"multipart/report") else None
    )


def _is_text(part: Part) -> bool:
    return (
        part.content_type in ("text/plain", "text/html")
        and part.disposition != "attachment"
        and not part.filename
    )


def _text_parts(part: Part) -> Iterator[Part]:
    """The parts that make up the mail's text, in order; of alternatives the plain one, else the last."""
    if not part.children:
        if _is_text(part):
            yield part
        return
    if part.content_type == "multipart/alternative":
        choices = [list(_text_parts(child)) for child in part.children]
        plain = [choice for choice in choices if choice and choice[0].content_type == "text/plain"]
        filled = plain or [choice for choice in choices if choice][-1:]
        yield from filled[0] if filled else ()
        return
    if part.content_type == "multipart/report":
        yield from _text_parts(part.children[0])
        return
    for child in part.children:
        yield from _text_parts(child)


def _text(root: Part, raw: bytes, left_out: list[str]) -> str:
    """The mail's text, up to `mime_limits.text_bytes_max`."""
    texts, room = [], mime_limits.text_bytes_max
    for part in _text_parts(root):
        content = part.content(raw, mime_limits.text_encoded_bytes_max)
        if len(content) > room or part.end - part.start > mime_limits.text_encoded_bytes_max:
            left_out.append(f"more than {mime_limits.text_bytes_max // limits.MIB} MB of text")
        text = decode(content[:room], part.parameters.get("charset"))
        texts.append(html_to_text(text) if part.content_type == "text/html" else text)
        room -= len(content)
        if room <= 0:
            break
    return "\n".join(text for text in texts if text.strip())


def _attachments(root: Part, raw: bytes, left_out: list[str]) -> tuple[AttachmentInfo, ...]:
    chosen = {id(part) for part in _text_parts(root)}
    found: list[AttachmentInfo] = []
    for part in root.leaves():
        # The HTML twin of a plain text is no attachment.
        if id(part) in chosen or _is_text(part):
            continue
        if len(found) >= mime_limits.attachments_max:
            left_out.append(f"more than {mime_limits.attachments_max} attachments")
            break
        content = part.content(raw)
        found.append(
            AttachmentInfo(
                filename=_filename(part, len(found) + 1),
                content_type=part.content_type,
                size_bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                inline=part.disposition != "attachment"
                and first_value(part.headers, b"content-id") is not None,
            )
        )
    return tuple(found)


def _filename(part: Part, number: int) -> str:
    """The sender's name for the file without path and control characters, or one made from its type."""
    base = re.split(r"[/\\]", part.filename)[-1]
    stem, dot, extension = one_line(base, limits.name_chars_max * 2).strip(". ").rpartition(".")
    name = (
        f"{stem[: limits.name_chars_max - 20]}{dot}{extension[:19]}"
        if dot
        else extension[: limits.name_chars_max]
    )
    return name.strip() or f"attachment-{number}.{_EXTENSIONS.get(part.content_type, 'bin')}"


def _stand_in(attachments: tuple[AttachmentInfo, ...]) -> str:
    """A line for a mail without text: agents see that it is empty, and what came with it."""
    names = ", ".join(info.filename for info in attachments[:5])
    return f"[no text; attached: {names}]" if names else "[no text]"
