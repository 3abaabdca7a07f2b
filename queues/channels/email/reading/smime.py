"""Unwrap opaque S/MIME: the mail inside a SignedData (RFC 8551 section 3.5.2, RFC 5652 section 5). Nothing is verified.

The reader follows the BER framing (ITU-T X.690 section 8.1) down to the content and looks at nothing else, so damage
in a certificate or a signature does no harm. It takes definite and indefinite lengths, and strings in pieces, which
programs write that sign while they send. Each length is checked against the bytes that are there; the cost is linear.
DECISIONS.md says why no ASN.1 library does it.
"""

from __future__ import annotations

from typing import NamedTuple

from queues.channels.email import limits
from queues.channels.email.reading import transfer

TYPES = frozenset(["application/pkcs7-mime", "application/x-pkcs7-mime"])
_FILE_ENDS = (".p7m",)
_SEQUENCE, _OCTETS, _OCTETS_IN_PIECES, _EXPLICIT = 0x30, 0x04, 0x24, 0xA0
_END_OF_CONTENTS = b"\0\0"
# Object identifier 1.2.840.113549.1.7.2 with its tag and length.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_PEM_START, _PEM_END = b"-----BEGIN", b"-----END"


class _Broken(ValueError):
    """The bytes do not match the format."""


class Signed(NamedTuple):
    """The content of a SignedData; `is_whole` is False if its end is missing."""

    content: bytes
    is_whole: bool


class _Element(NamedTuple):
    tag: int
    start: int
    # None for an indefinite length. It may lie behind the end of the bytes.
    end: int | None


def may_be_signed(content_type: str, filename: str) -> bool:
    """Return True if a part may be opaque S/MIME; gateways rename its type and keep its file name."""
    if content_type in TYPES:
        return True
    return content_type == "application/octet-stream" and filename.lower().endswith(_FILE_ENDS)


def signed_content(data: bytes) -> Signed | None:
    """Return the content of a SignedData; None when the bytes are something else or have no content."""
    try:
        return _content(data if data[:1] == b"\x30" else _from_text(data))
    except _Broken:
        return None


def _from_text(data: bytes) -> bytes:
    """Return the bytes of a SignedData that is base64 without a header that says so, perhaps between PEM lines."""
    text = data.strip()
    if text.startswith(_PEM_START):
        text = text[text.find(b"\n") + 1 : end if (end := text.rfind(_PEM_END)) >= 0 else len(text)]
    if not transfer.is_base64_text(text):
        raise _Broken
    return transfer.from_base64(text)


def _content(data: bytes) -> Signed | None:
    at = _into(data, 0, _SEQUENCE)
    if not data.startswith(_SIGNED_DATA, at):
        return None
    at = _into(data, _into(data, at + len(_SIGNED_DATA), _EXPLICIT), _SEQUENCE)
    # The version and the digest algorithms.
    at = _behind(data, _behind(data, at))
    # The type of the content, and the content, which a detached signature lacks.
    encapsulated = _element(data, at)
    if encapsulated.tag != _SEQUENCE:
        raise _Broken
    at = _behind(data, encapsulated.start)
    if at == encapsulated.end or data[at : at + 1] != bytes([_EXPLICIT]):
        return None
    return _octets(data, _into(data, at, _EXPLICIT))


def _octets(data: bytes, at: int) -> Signed | None:
    """Join an octet string: one piece, or pieces within pieces."""
    pieces: list[bytes] = []
    # The ends of the strings that are open.
    ends: list[int | None] = []
    is_whole = True
    while True:
        while ends and ends[-1] is not None and at >= ends[-1]:
            ends.pop()
            if not ends:
                return _joined(pieces, is_whole=is_whole)
        if ends and ends[-1] is None and data.startswith(_END_OF_CONTENTS, at):
            ends.pop()
            at += len(_END_OF_CONTENTS)
            if not ends:
                return _joined(pieces, is_whole=is_whole)
            continue
        try:
            element = _element(data, at)
        except _Broken:
            return _joined(pieces, is_whole=False)
        if element.tag == _OCTETS_IN_PIECES and len(ends) < limits.depth_max:
            ends.append(element.end)
            at = element.start
            continue
        if element.tag != _OCTETS or element.end is None:
            return _joined(pieces, is_whole=False)
        pieces.append(data[element.start : element.end])
        is_whole = is_whole and element.end <= len(data)
        at = element.end
        if not ends:
            return _joined(pieces, is_whole=is_whole)


def _joined(pieces: list[bytes], *, is_whole: bool) -> Signed | None:
    content = b"".join(pieces)
    return Signed(content, is_whole) if content else None


def _into(data: bytes, at: int, tag: int) -> int:
    """Return the start of the contents of an element that must have this tag."""
    element = _element(data, at)
    if element.tag != tag:
        raise _Broken
    return element.start


def _behind(data: bytes, at: int) -> int:
    """Return the offset behind an element. Elements of indefinite length within it are counted, not nested."""
    opened = 0
    while True:
        if opened and data.startswith(_END_OF_CONTENTS, at):
            opened -= 1
            at += len(_END_OF_CONTENTS)
        else:
            element = _element(data, at)
            if element.end is None:
                opened += 1
                at = element.start
            else:
                at = element.end
        if not opened:
            return at


def _element(data: bytes, at: int) -> _Element:
    """Read a tag of one byte and a length. The mail has no other tags before its content."""
    if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
        raise _Broken
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:
        if not tag & 0x20:
            raise _Broken
        return _Element(tag, start, None)
    if length > 0x80:
        size = length & 0x7F
        if size > limits.ber_length_bytes_max or start + size > len(data):
            raise _Broken
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    return _Element(tag, start, start + length)
