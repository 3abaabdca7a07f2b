"""Read the forms of providers (multipart/form-data, urlencoded) by offsets, without a copy of a form of 30 MB."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from queues.channels.email.providers import limits
from queues.channels.email.providers.documents import Unreadable
from queues.channels.email.reading.charset import decode

_PARAMETER = re.compile(rb';\s*([A-Za-z*]{1,20})=(?:"((?:[^"\\\r\n]|\\.)*)"|([^;\s"]*))')
_LINE = re.compile(rb"--([^\r\n]{1,200})\r?\n")


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the place of its bytes in the body."""

    source: bytes = field(repr=False)
    start: int
    end: int
    # Urlencoded.
    quoted: bool = False
    filename: str | None = None
    content_type: str = ""

    def content(self) -> bytes:
        """Return the bytes of the field."""
        return _unquoted(self.source, self.start, self.end) if self.quoted else self.source[self.start : self.end]

    def text(self, charset: str | None = None) -> str:
        """Decode the field by the provider's charset, or by the charset ladder."""
        content = self.content()
        return decode(content, charset) if content else ""


# The first field of each name.
Form = dict[str, Field]


def read(body: bytes) -> Form:
    """Read a form. Its first bytes decide its kind, and its first line is the boundary. Raises Unreadable.

    The Content-Type of the request decides nothing: no signature covers it, and a form must have one reading. With
    another boundary, the signature would be checked over one form, and another one would be recorded.
    """
    if body.startswith(b"--"):
        return _multipart(body, _boundary(body))
    return _urlencoded(body)


def is_form(content_type: str) -> bool:
    """Return True if a request claims to be a form."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("multipart/form-data", "application/x-www-form-urlencoded")


def text_of(form: Form, name: str, charset: str | None = None) -> str:
    """Return the text of a field; empty when there is no such field."""
    found = form.get(name)
    return "" if found is None else found.text(charset)


def _boundary(body: bytes) -> bytes:
    line = _LINE.match(body)
    if line is None:
        raise Unreadable("the body is no form: it does not begin with a boundary")
    return line[1].rstrip()


def _multipart(body: bytes, boundary: bytes) -> Form:
    """Read a multipart form (RFC 7578). Bytes before the first boundary are skipped; a form may be cut off."""
    mark, form = b"--" + boundary, Form()
    at = 0 if body.startswith(mark) else _after(body.find(b"\n" + mark), 1)
    if at < 0:
        raise Unreadable("the body is no form: its boundary is not in it")
    for _ in range(limits.form_fields_max):
        line_end = body.find(b"\n", at + len(mark))
        if line_end < 0 or body.startswith(b"--", at + len(mark)):
            return form
        head_end, start = _head(body, line_end + 1)
        following = _next(body, b"\n" + mark, start - 1)
        stop = len(body) if following < 0 else _before_line_end(body, start, following)
        _add(form, body, body[line_end + 1 : head_end], start, max(start, stop))
        if following < 0:
            return form
        at = following + 1
    return form


def _before_line_end(body: bytes, start: int, end: int) -> int:
    """Return the end of a field: the line end before a boundary belongs to the boundary."""
    return end - 1 if end > start and body[end - 1 : end] == b"\r" else end


def _after(at: int, length: int) -> int:
    return at if at < 0 else at + length


def _head(body: bytes, start: int) -> tuple[int, int]:
    """Return where the headers of a field end and its bytes begin."""
    limit = start + limits.form_header_bytes_max
    for line_end in (b"\r\n", b"\n"):
        if body.startswith(line_end, start):
            return start, start + len(line_end)
    found = [(at, at + len(gap)) for gap in (b"\r\n\r\n", b"\n\n") if (at := body.find(gap, start, limit)) >= 0]
    if not found:
        raise Unreadable("the body is a form with a field that has no end of its headers")
    return min(found)


def _next(body: bytes, mark: bytes, start: int) -> int:
    """Return the offset of the line feed before the next delimiter line; a longer line is no delimiter."""
    at = body.find(mark, max(0, start))
    while at >= 0:
        tail = body[at + len(mark) : at + len(mark) + 2]
        if not tail or tail[:1] in (b"\r", b"\n", b" ", b"\t") or tail == b"--":
            return at
        at = body.find(mark, at + len(mark))
    return at


def _add(form: Form, body: bytes, head: bytes, start: int, end: int) -> None:
    name, filename, content_type = "", None, ""
    for line in head.replace(b"\r\n ", b" ").split(b"\n"):
        header, _, value = line.partition(b":")
        if header.strip().lower() == b"content-disposition":
            told = {
                key.lower(): _plain(quoted or bare)
                for key, quoted, bare in _PARAMETER.findall(b";" + value.partition(b";")[2])
            }
            name, filename = told.get(b"name", ""), told.get(b"filename")
        elif header.strip().lower() == b"content-type":
            content_type = value.strip().decode("latin-1")
    if name:
        form.setdefault(name, Field(body, start, end, filename=filename, content_type=content_type))


def _plain(value: bytes) -> str:
    """Decode a parameter; browsers write quotes as %22 or with a backslash."""
    return decode(re.sub(rb"\\(.)", rb"\1", value)).replace("%22", '"')


def _urlencoded(body: bytes) -> Form:
    form, at = Form(), 0
    for _ in range(limits.form_fields_max):
        found = body.find(b"&", at)
        end = len(body) if found < 0 else found
        equals = body.find(b"=", at, end)
        if equals > at:
            name = decode(_unquoted(body, at, min(equals, at + limits.form_header_bytes_max)))
            form.setdefault(name, Field(body, equals + 1, end, quoted=True))
        if found < 0:
            break
        at = found + 1
    if not form:
        raise Unreadable("the body is no form" if body.strip() else "the body is empty")
    return form


def _unquoted(body: bytes, start: int, end: int) -> bytes:
    """Decode percent encoding slice by slice; at once, each %XX of a field of 30 MB would be an object."""
    plain = bytearray()
    at = start
    while at < end:
        stop = min(end, at + limits.unquote_slice_bytes)
        cut = body.rfind(b"%", max(at, stop - 2), stop) if stop < end else -1
        stop = cut if cut > at else stop
        plain += unquote_to_bytes(body[at:stop].replace(b"+", b" "))
        at = stop
    return bytes(plain)
