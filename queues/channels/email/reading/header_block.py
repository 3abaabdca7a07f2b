"""Split the bytes of a mail or a part into its headers and its body (RFC 5322 section 2.1). Linear; never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator

from queues.channels.email import limits

# Visible ASCII (RFC 5322, section 2.2). The longest registered header name has 40 characters.
_NAME = re.compile(rb"[!-~]{1,100}")
# (name in lower case, unfolded value), in their order.
Headers = list[tuple[bytes, bytes]]


def split_headers(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """Return the headers of `raw[start:end]` and the offset of its body.

    Lines that are no headers are skipped (an mbox `From ` line, the remark of a broken relay). If no empty line ends
    the block, the first such line begins the body. A block without any header is all body. A huge value is cut, and the
    headers after it are still read: a subject of a megabyte must not hide the sender. The bounds on lines and headers
    end the reading of a block that has only headers.
    """
    stop = len(raw) if end is None else end
    block_end, body_start = _block_end(raw, start, stop)
    has_no_end = body_start >= stop > start
    headers: Headers = []
    name, value = b"", bytearray()
    for line_start, line in _lines(raw, start, block_end):
        if len(headers) >= limits.headers_max:
            break
        if name and line[:1] in (b" ", b"\t"):
            # `_lines` and `_add` bound the value, so that a huge one costs its own size at most.
            value += line if len(value) < limits.header_value_bytes_max else b""
            continue
        _add(headers, name, value)
        name, value = _start(line)
        if has_no_end and not name and headers and line.strip():
            return headers, line_start
    _add(headers, name, value)
    return headers, body_start if headers or block_end == start else start


def _lines(raw: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the bytes of each line, within the bounds on the count and the length of lines."""
    at = start
    for _ in range(limits.header_lines_max):
        if at >= end:
            return
        found = raw.find(b"\n", at, end)
        line_end = end if found < 0 else found
        yield at, raw[at : min(line_end, at + limits.header_value_bytes_max)].rstrip(b"\r")
        at = line_end + 1


def mail_start(raw: bytes) -> int:
    """Return the offset of the first header: behind a byte order mark and empty lines, which some relays put first."""
    at = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    head = raw[at : at + limits.leading_bytes_max]
    return at + len(head) - len(head.lstrip(b"\r\n\t \x00"))


def first_value(headers: Headers, name: bytes) -> bytes | None:
    """Return the first header of this lower-case name. A second one comes from a forger or a mistake."""
    for found, value in headers:
        if found == name:
            return value
    return None


def all_values(headers: Headers, name: bytes) -> Iterator[bytes]:
    """Return the headers of this lower-case name from the top: the last server on the way adds the first one."""
    return (value for found, value in headers if found == name)


def _start(line: bytes) -> tuple[bytes, bytearray]:
    name, colon, value = line.partition(b":")
    name = name.rstrip(b" \t")
    if not colon or _NAME.fullmatch(name) is None:
        return b"", bytearray()
    return name.lower(), bytearray(value)


def _add(headers: Headers, name: bytes, value: bytearray) -> None:
    if name:
        headers.append((name, bytes(value[: limits.header_value_bytes_max]).strip()))


def _block_end(raw: bytes, start: int, stop: int) -> tuple[int, int]:
    """Return the end of the header block and the start of the body, before and after the first empty line."""
    for line_end in (b"\r\n", b"\n", b"\r\r\n"):
        if raw.startswith(line_end, start, stop):
            return start, start + len(line_end)
    ends: list[tuple[int, int]] = []
    limit = stop
    for mark in (b"\n\n", b"\n\r\n", b"\n\r\r\n"):
        at = raw.find(mark, start, limit)
        if at >= 0:
            ends.append((at, at + len(mark)))
            # Only an earlier empty line matters from here on.
            limit = min(limit, at + len(mark))
    return min(ends, default=(stop, stop))
