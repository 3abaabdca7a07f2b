"""A writer of winmail.dat by MS-OXTNEF, so that the reader is tested against the format and not against itself."""

from __future__ import annotations

import struct
from collections.abc import Sequence

UNICODE, STRING, BINARY, OBJECT, LONG = 0x001F, 0x001E, 0x0102, 0x000D, 0x0003
MESSAGE_IID = bytes.fromhex("0703020000000000c000000000000046")
_TYPES = {0x8004: 1, 0x800C: 2, 0x9002: 6, 0x8010: 1, 0x800F: 6, 0x9005: 6, 0x9007: 6, 0x9003: 6}

Property = tuple[int, int, bytes]  # id, type, value


def tnef(
    *,
    properties: Sequence[Property] = (),
    body: bytes = b"",
    codepage: int = 1252,
    files: Sequence[bytes] = (),
) -> bytes:
    """A whole file."""
    out = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x9007, struct.pack("<II", codepage, 0))
    if body:
        out += attribute(1, 0x800C, body)
    if properties:
        out += attribute(1, 0x9003, mapi(properties))
    return out + b"".join(files)


def file(*, title: bytes = b"", data: bytes = b"", properties: Sequence[Property] = ()) -> bytes:
    """The attributes of one attachment."""
    out = attribute(2, 0x9002, bytes(14))
    if title:
        out += attribute(2, 0x8010, title + b"\0")
    if data:
        out += attribute(2, 0x800F, data)
    return out + (attribute(2, 0x9005, mapi(properties)) if properties else b"")


def attribute(level: int, name: int, data: bytes) -> bytes:
    checksum = sum(data) & 0xFFFF
    return struct.pack("<BHHI", level, name, _TYPES[name], len(data)) + data + struct.pack("<H", checksum)


def mapi(properties: Sequence[Property]) -> bytes:
    """A property list; a named property stands in it as in Outlook's, to be passed over."""
    named = struct.pack("<HH", LONG, 0x8001) + bytes(16) + struct.pack("<II", 0, 7) + struct.pack("<I", 1)
    text = "Name".encode("utf-16-le") + b"\0\0"
    named += struct.pack("<HH", LONG, 0x8002) + bytes(16) + struct.pack("<II", 1, len(text)) + padded(text) + bytes(4)
    return struct.pack("<I", len(properties) + 2) + named + b"".join(one(*found) for found in properties)


def one(name: int, kind: int, value: bytes) -> bytes:
    if kind == LONG:
        return struct.pack("<HH", kind, name) + value
    return struct.pack("<HHII", kind, name, 1, len(value)) + padded(value)


def padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)


def uncompressed_rtf(rtf: bytes) -> bytes:
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


def compressed_rtf(rtf: bytes, dictionary: bytes) -> bytes:
    """MS-OXRTFCP 2.2: matches are looked for in the dictionary and in what was written, greedily."""
    window = bytearray(dictionary)
    tokens: list[tuple[bool, bytes]] = []
    at = 0
    while at < len(rtf):
        length, found = 17, -1
        while length >= 2:
            found = window.find(rtf[at : at + length])
            if at + length <= len(rtf) and found >= 0:
                break
            length -= 1
        if length >= 2:
            tokens.append((True, struct.pack(">H", found << 4 | length - 2)))
        else:
            length = 1
            tokens.append((False, rtf[at : at + 1]))
        window += rtf[at : at + length]
        at += length
        assert len(window) < 4096, "a sample longer than the window"
    tokens.append((True, struct.pack(">H", len(window) << 4)))
    out = b""
    for start in range(0, len(tokens), 8):
        run = tokens[start : start + 8]
        out += bytes([sum(1 << bit for bit, (is_match, _) in enumerate(run) if is_match)]) + b"".join(
            data for _, data in run
        )
    return struct.pack("<IIII", len(out) + 12, len(rtf), 0x75465A4C, 0) + out
