"""A received mail made readable for tests and the demo: decoded headers, text, attachments.

Written against mail that a faulty sender may build, so nothing here raises: what cannot be decoded is shown
as it came. The email package's modern policy raises while headers are read (cpython#83281), hence compat32.
"""

import email
import email.policy
import hashlib
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from scripts.sandbox.json_object import JsonObject


def describe(content: bytes) -> JsonObject:
    """The outbox fields of a mail; `raw` is latin-1 text: `.encode("latin-1")` gives the exact bytes back."""
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    headers: dict[str, str] = {}
    for name, value in message.raw_items():  # `items` replaces the letters of SMTPUTF8
        decoded = _decoded(value)
        headers[name] = f"{headers[name]}\n{decoded}" if name in headers else decoded  # repeated ones, a line each
    bodies: dict[str, str] = {}
    attachments: list[JsonObject] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        filename = part.get_filename()
        if kind in ("text/plain", "text/html") and filename is None and kind not in bodies:
            bodies[kind] = _text(part)
        else:
            attachments.append(_attachment(part, kind, filename))
    by_name = {name.lower(): value for name, value in headers.items()}
    return {
        "message_id": by_name.get("message-id"),
        "subject": by_name.get("subject", ""),
        "from": by_name.get("from", ""),
        "to": by_name.get("to", ""),
        "cc": by_name.get("cc", ""),
        "in_reply_to": by_name.get("in-reply-to"),
        "references": by_name.get("references", "").split(),
        "headers": headers,
        "text": bodies.get("text/plain", ""),
        "html": bodies.get("text/html", ""),
        "attachments": attachments,
        "raw": content.decode("latin-1"),
    }


def _attachment(part: Message, kind: str, filename: str | None) -> JsonObject:
    content = _payload(part)
    content_id = str(part.get("Content-ID") or "").strip().strip("<>")
    return {
        "filename": _decoded(filename or ""),
        "content_type": kind,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "inline": part.get_content_disposition() == "inline",
        "content_id": content_id or None,
    }


def _decoded(value: object) -> str:
    """A header value as text: encoded words decoded, folds removed."""
    text = "".join(str(value).splitlines())
    try:
        parts = decode_header(text)
    except HeaderParseError:
        return text
    return "".join(_part(content, charset) for content, charset in parts)


def _part(content: bytes | str, charset: str | None) -> str:
    if isinstance(content, str):
        return (
            content.encode("ascii", "surrogateescape").decode("utf-8", "replace")
            if _has_surrogates(content)
            else content
        )
    return _bytes_as_text(content, charset or "utf-8")


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _text(part: Message) -> str:
    return _bytes_as_text(_payload(part), part.get_content_charset() or "utf-8")


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _bytes_as_text(content: bytes, charset: str) -> str:
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
