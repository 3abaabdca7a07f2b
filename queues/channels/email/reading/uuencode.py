"""Decode uuencode (POSIX), as a transfer encoding and as `begin 644 name` blocks in a text. yEnc stays text."""

from __future__ import annotations

import binascii
import re

from queues.channels.email import limits

_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,400})\r?\n", re.MULTILINE)
_END = re.compile(rb"(?:[`  ]?[ \t]*\r?\n){0,3}end[ \t]*(?:\r?\n|\Z)")


def decoded(body: bytes) -> bytes:
    """Decode the lines of a body. A body of many tiny lines is no uuencode and stays as it is."""
    line_ends = body.count(b"\n") + body.count(b"\r")
    if line_ends > limits.uu_tiny_lines_max and len(body) < line_ends * limits.uu_line_bytes_min:
        return body
    lines = []
    for line in body.splitlines():
        if line.startswith(b"begin ") or line.strip() in (b"end", b"`", b""):
            continue
        lines.append(_line(line))
    return b"".join(lines)


def extract(content: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return a text without its uuencoded blocks, and the blocks as (name, bytes).

    A block needs a full line of data after its `begin`; without `end` it must reach to the end of the text.
    """
    if b"begin " not in content:
        return content, []
    kept, files, at = [], [], 0
    for _ in range(limits.attachments_max):
        begin = _BEGIN.search(content, at)
        if begin is None:
            break
        name = begin[1].rstrip(b" \t")
        lines, data_end = _data_lines(content, begin.end())
        end = _END.match(content, data_end)
        rest_is_empty = not content[data_end : data_end + 100].strip()
        if not name or not lines or not (end or rest_is_empty):
            kept.append(content[at : begin.end()])
            at = begin.end()
            continue
        kept.append(content[at : begin.start()])
        files.append((name, b"".join(lines)))
        at = end.end() if end else len(content)
    kept.append(content[at:])
    return b"".join(kept), files


def _data_lines(content: bytes, at: int) -> tuple[list[bytes], int]:
    """Return the decoded data lines from `at` on, and the offset of the first line that is no data."""
    lines: list[bytes] = []
    while at < len(content):
        found = content.find(b"\n", at, at + 100)
        line_end = (min(at + 100, len(content))) if found < 0 else found
        line = content[at:line_end].rstrip(b"\r")
        if not line or line == b"end" or not 33 <= line[0] <= 95:
            break
        counted = ((line[0] - 32) * 4 + 2) // 3
        # Blanks at the end may be lost, and a check byte may be added.
        if not counted <= len(line) - 1 + 2 <= counted + 5:
            break
        lines.append(_line(line))
        at = line_end + 1
    return lines, min(at, len(content))


def _line(line: bytes) -> bytes:
    """Decode a line; empty when it is no data."""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Extra bytes follow the data; the length byte says how many count.
        counted = (((line[0] - 32) & 63) * 4 + 5) // 3
    try:
        return binascii.a2b_uu(line[:counted])
    except binascii.Error:
        return b""
