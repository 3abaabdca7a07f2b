"""Split the bytes of a mail (or of a part) into headers and where its body begins. Linear and never surprised."""

from __future__ import annotations

from collections.abc import Iterator

from queues.channels.email import limits

_NAME_BYTES_MAX = 100  # the longest registered header name has 40
Headers = list[tuple[bytes, bytes]]  # (name in lower case, unfolded value) in their order


def split_headers(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """The headers of `raw[start:end]` and the offset of its body.

    Lines that are no header are passed over (a mbox `From ` line, a broken relay's remark); without an empty line the first
    of them begins the body, and so it does where no header stands at all. A huge value is cut, and the headers after it are
    still read: a subject of a megabyte must not hide the sender. The bounds on lines and headers end the reading of a block
    that is nothing but headers.
    """
    stop = len(raw) if end is None else end
    block_end, body_start = _block_end(raw, start, stop)
    is_open = body_start >= stop > start  # no empty line
    headers: Headers = []
    name, value = b"", bytearray()
    at = start
    for _ in range(limits.header_lines_max):
        if at >= block_end or len(headers) >= limits.headers_max:
            break
        found = raw.find(b"\n", at, block_end)
        line_end = block_end if found < 0 else found
        line = raw[at : min(line_end, at + limits.header_value_bytes_max)].rstrip(b"\r")
        line_start, at = at, line_end + 1
        if line[:1] in (b" ", b"\t") and name:
            if len(value) < limits.header_value_bytes_max:
                value += line
            continue
        _add(headers, name, value)
        name, value = _start(line)
        if not name and is_open and headers and line.strip():
            return headers, line_start
    _add(headers, name, value)
    return headers, body_start if headers or block_end == start else start


def mail_start(raw: bytes) -> int:
    """Where the first header may stand: behind a byte order mark and empty lines, which some relays put first."""
    at = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    head = raw[at : at + limits.leading_bytes_max]
    return at + len(head) - len(head.lstrip(b"\r\n\t \x00"))


def first_value(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this (lower-case) name: a second one is added by a forger or by mistake."""
    return next((value for found, value in headers if found == name), None)


def all_values(headers: Headers, name: bytes) -> Iterator[bytes]:
    """The headers of this (lower-case) name from the top; who received the mail last stands first."""
    return (value for found, value in headers if found == name)


def _start(line: bytes) -> tuple[bytes, bytearray]:
    name, colon, value = line.partition(b":")
    name = name.rstrip(b" \t")
    if not colon or not name or len(name) > _NAME_BYTES_MAX or any(not 33 <= byte <= 126 for byte in name):
        return b"", bytearray()
    return name.lower(), bytearray(value)


def _add(headers: Headers, name: bytes, value: bytearray) -> None:
    if name:
        headers.append((name, bytes(value[: limits.header_value_bytes_max]).strip()))


def _block_end(raw: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where the header block ends and where the body begins: around the first empty line."""
    for line_end in (b"\r\n", b"\n", b"\r\r\n"):
        if raw.startswith(line_end, start, stop):
            return start, start + len(line_end)
    ends: list[tuple[int, int]] = []
    limit = stop
    for mark in (b"\n\n", b"\n\r\n", b"\n\r\r\n"):
        at = raw.find(mark, start, limit)
        if at >= 0:
            ends.append((at, at + len(mark)))
            limit = min(limit, at + len(mark))  # a later one does not matter
    return min(ends, default=(stop, stop))
