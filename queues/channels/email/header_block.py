"""Split the bytes of a mail (or of a part) into headers and where its body begins. Linear and never surprised."""

from __future__ import annotations

from queues.channels.email import mime_limits

Headers = list[tuple[bytes, bytes]]  # (name in lower case, unfolded value) in their order


def split_headers(raw: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """The headers of `raw[start:end]` and the offset of its body.

    Lines that are no header are passed over (a mbox `From ` line, a broken relay's remark). Without an empty line
    all is header. Of a block beyond `mime_limits.header_bytes_max` only the beginning is read.
    """
    stop = len(raw) if end is None else end
    block_end, body_start = _block_end(raw, start, stop)
    block = raw[start : min(block_end, start + mime_limits.header_bytes_max)]
    headers: Headers = []
    name, lines = b"", [b""]
    for line in block.split(b"\n"):
        line = line.rstrip(b"\r")
        if line[:1] in (b" ", b"\t") and name:
            lines.append(line)
            continue
        _add(headers, name, lines)
        name, lines = _start(line)
        if len(headers) >= mime_limits.headers_max:
            return headers, body_start
    _add(headers, name, lines)
    return headers, body_start


def first_value(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this (lower-case) name: a second one is added by a forger or by mistake."""
    return next((value for found, value in headers if found == name), None)


def _start(line: bytes) -> tuple[bytes, list[bytes]]:
    name, colon, value = line.partition(b":")
    name = name.rstrip(b" \t")
    if not colon or not name or any(not 33 <= byte <= 126 for byte in name[:100]) or len(name) > 100:
        return b"", [b""]
    return name.lower(), [value]


def _add(headers: Headers, name: bytes, lines: list[bytes]) -> None:
    if name:
        headers.append((name, b"".join(lines).strip()[: mime_limits.header_value_bytes_max]))


def _block_end(raw: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where the header block ends and where the body begins: around the first empty line."""
    for line_end in (b"\r\n", b"\n"):
        if raw.startswith(line_end, start, stop):
            return start, start + len(line_end)
    ends = [(at, at + len(mark)) for mark in (b"\n\n", b"\n\r\n") if (at := raw.find(mark, start, stop)) >= 0]
    return min(ends, default=(stop, stop))
