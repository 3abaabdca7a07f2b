"""Find the parts of a mail by their offsets (RFC 2045, RFC 2046), within bounds; decode a part on request.

The standard library's parser reads the whole mail first: 100,000 parts cost it 14 s, and depth 1,000 a RecursionError.
This reader stops at a bound, keeps the parts read so far, and reports what it left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from models.kernel.limits import MIB
from queues.channels.email import limits
from queues.channels.email.reading import smime
from queues.channels.email.reading.header_block import Headers, first_value, mail_start, split_headers
from queues.channels.email.reading.parameters import parameters
from queues.channels.email.reading.transfer import decoded, encoding_of

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}", re.ASCII)
_LONE_CR = re.compile(rb"\r(?!\n)")
_GUESSED = re.compile(rb"^--([^\r\n]{1,200})\r?\n(?=content-[a-z-]{1,40}[ \t]*:)", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class Part:
    """A part: its headers, the place of its body in its source, its children."""

    # The raw mail, or the decoded content of a multipart that was base64 itself.
    source: bytes
    headers: Headers
    content_type: str
    parameters: dict[str, str]
    # `attachment`, `inline` or empty.
    disposition: str
    filename: str
    start: int
    end: int
    # Of a multipart; and the mail inside an opaque S/MIME part.
    children: list[Part] = field(default_factory=list)
    # Its content says that it goes on, but the mail ends.
    is_cut_off: bool = False

    def leaves(self) -> Iterator[Part]:
        """Yield the parts without children. The reader bounds the depth."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def all_parts(self) -> Iterator[Part]:
        """Yield this part and all parts below it."""
        yield self
        for child in self.children:
            yield from child.all_parts()

    @property
    def encoding(self) -> str:
        return encoding_of(first_value(self.headers, b"content-transfer-encoding"))

    @property
    def encoded_bytes(self) -> int:
        return self.end - self.start

    def content(self, encoded_bytes_max: int | None = None) -> bytes:
        """Return the decoded body, or its beginning."""
        end = self.end if encoded_bytes_max is None else min(self.end, self.start + encoded_bytes_max)
        return decoded(self.source, self.start, end, self.encoding)


class Reader:
    """Reads the tree of one mail; `left_out` names the bounds that the mail exceeds."""

    def __init__(self, raw: bytes) -> None:
        self._raw = _with_line_feeds(raw)
        self._parts = 0
        self._delimiters = 0
        self._sources = 0
        self.left_out: list[str] = []

    def read(self) -> Part:
        root = self._part(self._raw, mail_start(self._raw), len(self._raw), depth=0, default_type="text/plain")
        charset = declared_charset(root)
        for part in root.leaves() if charset else ():
            if not part.filename.isascii():
                # An 8-bit file name may be in the charset of the text.
                part.filename = _described(part.headers, "", raw_charset=charset)[3]
        return root

    def _part(self, source: bytes, start: int, end: int, *, depth: int, default_type: str) -> Part:
        self._parts += 1
        headers, body_start = split_headers(source, start, end)
        part = Part(source, headers, *_described(headers, default_type), body_start, end)
        if smime.may_be_signed(part.content_type, part.filename):
            self._unwrap(part, depth)
        if not part.content_type.startswith("multipart/"):
            return part
        if depth >= limits.depth_max:
            self.leave_out(f"parts nested deeper than {limits.depth_max}")
        else:
            self._read_children(part, depth)
        if not part.children:
            # The boundary is missing or a bound was met: show the source.
            part.content_type = "text/html" if _looks_like_html(part) else "text/plain"
        return part

    def _unwrap(self, part: Part, depth: int) -> None:
        """Read the mail inside an opaque S/MIME part. Anything else stays a file."""
        if part.end - part.start > limits.smime_bytes_max:
            self.leave_out(f"a signed part of more than {limits.smime_bytes_max // MIB} MB")
            return
        if depth >= limits.depth_max or self._sources >= limits.sources_max:
            self.leave_out(f"more than {limits.sources_max} signed parts")
            return
        found = smime.signed_content(part.content())
        if found is None:
            return
        self._sources += 1
        part.is_cut_off = not found.is_whole
        content = found.content
        inner = self._part(content, mail_start(content), len(content), depth=depth + 1, default_type="text/plain")
        if inner.content_type == "message/rfc822" and inner.parameters.get("forwarded", "").lower() == "no":
            # RFC 8551 section 3.1: the mail is wrapped so that its headers are signed too.
            inner = self._part(content, inner.start, inner.end, depth=depth + 2, default_type="text/plain")
        part.children.append(inner)

    def _read_children(self, part: Part, depth: int) -> None:
        source, start, end = part.source, part.start, part.end
        mark = self._mark(part, source, start, end)
        if mark is None and part.encoding and self._sources < limits.sources_max:
            self._sources += 1
            source = part.content()
            start, end = 0, len(source)
            mark = self._mark(part, source, start, end)
        if mark is None:
            return
        child_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        for child_start, child_end in self._slices(source, mark, start, end):
            if self._parts >= limits.parts_max:
                self.leave_out(f"more than {limits.parts_max} parts")
                break
            child = self._part(source, child_start, child_end, depth=depth + 1, default_type=child_type)
            if child.headers or child.end > child.start:
                part.children.append(child)

    def _mark(self, part: Part, source: bytes, start: int, end: int) -> bytes | None:
        """Return the start of the delimiter lines: the declared one, or a guess by the first line that looks like one.

        None when there is no delimiter line.
        """
        declared = part.parameters.get("boundary", "").strip()
        for boundary in dict.fromkeys([declared, declared.split(" ")[0], declared.strip("\"'<>")]):
            mark = b"--" + boundary.encode("latin-1", "replace")
            if boundary and self._has_line(source, mark, start, end):
                return mark
        guessed = _GUESSED.search(source, start, min(end, start + limits.preamble_bytes_max))
        return None if guessed is None else b"--" + guessed[1].rstrip()

    def _has_line(self, source: bytes, mark: bytes, start: int, end: int) -> bool:
        return source.startswith(mark, start, end) or _next(source, mark, start, end) is not None

    def _slices(self, source: bytes, mark: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the places of a multipart's children, between its delimiter lines."""
        opened: int | None = None
        at = start if source.startswith(mark, start, end) else _next(source, mark, start, end)
        while at is not None:
            line_end = source.find(b"\n", at, end)
            line_end = end if line_end < 0 else line_end
            tail = source[at + len(mark) : min(line_end, at + len(mark) + 100)].strip()
            if tail in (b"", b"--"):
                if opened is not None:
                    yield opened, _before_line_end(source, opened, at)
                opened = None if tail else min(line_end + 1, end)
                if tail:
                    return
            self._delimiters += 1
            if self._delimiters > limits.delimiter_lines_max:
                self.leave_out(f"more than {limits.delimiter_lines_max} boundary lines")
                return
            at = _next(source, mark, line_end, end)
        if opened is not None:
            # The mail was cut off in transit.
            yield opened, end

    def leave_out(self, what: str) -> None:
        if what not in self.left_out:
            self.left_out.append(what)


def _with_line_feeds(raw: bytes) -> bytes:
    """Return the mail with line feeds if its first lines end in CR alone."""
    head = raw[mail_start(raw) :][: limits.leading_bytes_max]
    lone = _LONE_CR.search(head)
    first = head.find(b"\n")
    if lone is None or head[lone.start() : lone.start() + 3] == b"\r\r\n" or 0 <= first < lone.start():
        return raw
    return _LONE_CR.sub(b"\n", raw)


def _next(source: bytes, mark: bytes, start: int, end: int) -> int | None:
    found = source.find(b"\n" + mark, start, end)
    return None if found < 0 else found + 1


def _before_line_end(source: bytes, start: int, at: int) -> int:
    """Return the end of a part: the line end before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1)."""
    end = at - 1
    if end > start and source[end - 1 : end] == b"\r":
        end -= 1
    return max(end, start)


def _looks_like_html(part: Part) -> bool:
    head = part.source[part.start : min(part.end, part.start + 500)].lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html"))


def declared_charset(root: Part) -> str | None:
    """Return the first charset that a part declares. Senders that write 8-bit headers write them in this charset."""
    return next((charset for part in root.leaves() if (charset := part.parameters.get("charset"))), None)


def _described(
    headers: Headers, default_type: str, *, raw_charset: str | None = None
) -> tuple[str, dict[str, str], str, str]:
    """Return the content type, its parameters, the disposition and the file name."""
    content_type, of_type = parameters(first_value(headers, b"content-type"), raw_charset=raw_charset)
    disposition, of_disposition = parameters(first_value(headers, b"content-disposition"), raw_charset=raw_charset)
    known = _TYPE.match(content_type)
    filename = of_disposition.get("filename") or of_type.get("name") or of_disposition.get("name") or ""
    return known[0] if known else default_type, of_type, disposition, filename
