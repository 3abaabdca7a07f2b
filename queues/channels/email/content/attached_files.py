"""Describe the files of a mail: bytes, names, and whether they are shown inside the text or hidden (signatures)."""

from __future__ import annotations

import hashlib
import re

from models.kernel import limits
from models.kernel.text import one_line
from models.ports.inbound import AttachmentInfo
from queues.channels.email import limits as mime_limits
from queues.channels.email.reading.header_block import first_value, mail_start, split_headers
from queues.channels.email.reading.headers import text_of
from queues.channels.email.reading.mime import Part

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/svg+xml": "svg",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/webp": "webp",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/json": "json",
    "application/rtf": "rtf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/pgp-signature": "asc",
    "application/pgp-keys": "asc",
    "application/pgp-encrypted": "asc",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "application/pkcs7-mime": "p7m",
    "application/x-pkcs7-mime": "p7m",
    "application/ms-tnef": "dat",
    "message/rfc822": "eml",
    "message/delivery-status": "txt",
    "message/disposition-notification": "txt",
    "message/feedback-report": "txt",
    "text/rfc822-headers": "txt",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "text/plain": "txt",
    "text/html": "html",
    "text/csv": "csv",
    "text/rtf": "rtf",
    "text/xml": "xml",
    "application/xml": "xml",
}
_BY_EXTENSION = {extension: content_type for content_type, extension in reversed(EXTENSIONS.items())} | {
    "txt": "text/plain",
    "asc": "application/pgp-keys",
    "xml": "text/xml",
    "jpeg": "image/jpeg",
    "htm": "text/html",
}


def info(
    filename: str,
    content_type: str,
    content: bytes,
    *,
    number: int,
    content_id: str | None = None,
    inline: bool = False,
    hidden: bool = False,
) -> AttachmentInfo:
    """Describe a file. Its name is made safe; a file without a name gets one from its type."""
    return AttachmentInfo(
        filename=safe_name(filename) or f"attachment-{number}.{EXTENSIONS.get(content_type, 'bin')}",
        content_type=content_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        inline=inline,
        content=content,
        content_id=content_id,
        hidden=hidden,
    )


def name_of(part: Part, content: bytes) -> str:
    """Return the sender's name for the file; an attached mail without a name is named by its subject."""
    if part.filename or part.content_type != "message/rfc822":
        return part.filename
    subject = subject_of(content)
    return f"{subject[:100]}.eml" if subject else ""


def subject_of(mail: bytes) -> str:
    """Return the subject of an attached mail on one line; empty when it has none."""
    head = mail[: mime_limits.report_bytes_max]
    headers, _ = split_headers(head, mail_start(head))
    return one_line(text_of(first_value(headers, b"subject") or b""), limits.ticket_title_chars_max)


def type_by_name(filename: str) -> str:
    """Guess the type of a file by its extension."""
    return _BY_EXTENSION.get(filename.rpartition(".")[2].lower(), "application/octet-stream")


def safe_name(filename: str) -> str:
    """Remove path and control characters, and cut the name before its extension; may be empty."""
    base = re.split(r"[/\\]", filename)[-1]
    stem, dot, extension = one_line(base, limits.name_chars_max * 2).strip(". ").rpartition(".")
    if not dot:
        return extension[: limits.name_chars_max].strip()
    return f"{stem[: limits.name_chars_max - 20]}{dot}{extension[:19]}".strip()
