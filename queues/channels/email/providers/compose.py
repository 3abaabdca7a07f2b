"""Rebuild a mail from a provider's fields, so that one MIME parser reads all mail.

The headers keep their values and order; only those that describe the bytes are new. No value can add a header or end a
part: each header is one line, and the boundary is a digest of the content.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from queues.channels.email.providers import limits
from queues.channels.email.reading.headers import lenient_base64

_NAME = re.compile(r"[!-9;-~]{1,100}", re.ASCII)
_BREAKS = re.compile(r"\s*[\r\n\x00]+\s*")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}", re.ASCII | re.IGNORECASE)
_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?([A-Za-z-]{1,40})", re.IGNORECASE)
# They describe the bytes of the original mail, which the provider does not give.
_OURS = frozenset({"content-type", "content-transfer-encoding", "mime-version", "content-length"})

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the mail. `encoded` when its content is the provider's base64, which is copied."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)
    encoded: bool = False
    content_id: str = ""
    inline: bool = False


def mail(headers: Headers, *, text: str | None = None, html: str | None = None, files: Sequence[File] = ()) -> bytes:
    """Return the mail (RFC 5322) of these headers, bodies and files."""
    bodies = [
        (f"text/{kind}; charset=utf-8", content) for kind, content in (("plain", text), ("html", html)) if content
    ]
    head = _head(headers)
    boundary = _boundary(bodies, files)
    alternative = [
        _part(content_type, _body(content), "8bit")
        for content_type, content in bodies or [("text/plain; charset=utf-8", "")]
    ]
    if len(alternative) > 1:
        alternative = [_multipart("alternative", boundary + b"a", alternative)]
    if not files:
        return b"".join([head, *alternative[0]])
    parts = [*alternative, *(_file(one) for one in files)]
    return b"".join([head, *_multipart(_kind(first(headers, "content-type")), boundary + b"m", parts)])


def _head(headers: Headers) -> bytes:
    kept = [(name, value) for name, value in headers if name.lower() not in _OURS and _NAME.fullmatch(name)]
    lines = [_line(name, value) for name, value in kept]
    return b"".join(lines)[: limits.headers_chars_max] + b"MIME-Version: 1.0\r\n"


def has(headers: Headers, name: str) -> bool:
    """Return True if the headers have a value for this name."""
    return any(found.lower() == name.lower() and value.strip() for found, value in headers)


def first(headers: Headers, name: str) -> str:
    """Return the first header of a name; empty when there is none."""
    return next((value for found, value in headers if found.lower() == name.lower()), "")


def completed(headers: Headers, told: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers, and those of `told` with a value that they lack."""
    return [*headers, *((name, value) for name, value in told if value.strip() and not has(headers, name))]


def named(name: str, address: str) -> str:
    """Return a mailbox for a From or To header; quotes and backslashes in the name are escaped."""
    if not name.strip():
        return address
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def _line(name: str, value: str) -> bytes:
    """Return a header line in UTF-8 (RFC 6532), which our reader accepts."""
    return f"{name}: {_BREAKS.sub(' ', value).strip()}\r\n".encode("utf-8", "replace")


def _body(content: str) -> bytes:
    return content.encode("utf-8", "replace")


def _part(content_type: str, content: bytes, encoding: str, *more: bytes) -> list[bytes]:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n".encode()
    return [head, *more, b"\r\n", content]


def _multipart(kind: str, boundary: bytes, parts: Sequence[list[bytes]]) -> list[bytes]:
    pieces = [b"Content-Type: multipart/%s; boundary=%s\r\n\r\n" % (kind.encode(), boundary)]
    for part in parts:
        pieces += [b"--%s\r\n" % boundary, *part, b"\r\n"]
    return [*pieces, b"--%s--\r\n" % boundary]


def _file(file: File) -> list[bytes]:
    content = file.content if file.encoded else base64.b64encode(file.content)
    content_type = file.content_type.lower() if _TYPE.fullmatch(file.content_type) else "application/octet-stream"
    more = [_line("Content-Disposition", _disposition(file))]
    if file.content_id.strip():
        more.append(_line("Content-ID", f"<{file.content_id.strip().strip('<>')}>"))
    encoding = "base64"
    if content_type.startswith("message/"):
        # RFC 2046 section 5.2.1: a mail may not be base64, and the parts of a bounce are read.
        content, encoding = _plain(file), "8bit"
    return _part(content_type, content, encoding, *more)


def _plain(file: File) -> bytes:
    return lenient_base64(file.content) if file.encoded else file.content


def _disposition(file: File) -> str:
    kind = "inline" if file.inline else "attachment"
    if not file.filename:
        return kind
    escaped = file.filename.replace("\\", "_").replace('"', "'")
    return f'{kind}; filename="{escaped}"'


def _kind(original: str) -> str:
    """Return `mixed`, or the report type of the original, so that a bounce is recognised."""
    report = _REPORT_TYPE.search(original[:2_000])
    if original.strip().lower().startswith("multipart/report") and report is not None:
        return f"report; report-type={report[1]}"
    return "mixed"


def _boundary(bodies: Sequence[tuple[str, str]], files: Sequence[File]) -> bytes:
    """Return a digest of the content as boundary: no content can have its own digest in it."""
    digest = hashlib.sha256()
    for _, content in bodies:
        digest.update(_body(content))
    for file in files:
        digest.update(file.content)
    return b"nestor-" + digest.hexdigest()[:40].encode()
