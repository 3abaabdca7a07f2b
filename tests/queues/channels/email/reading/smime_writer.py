"""A writer of SignedData by RFC 5652, in each framing of BER, so that the reader is tested against the format."""

from __future__ import annotations

SEQUENCE, SET, INTEGER, OCTETS, PIECES, EXPLICIT = 0x30, 0x31, 0x02, 0x04, 0x24, 0xA0
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")
# A digest algorithm, as a nested element that the reader passes over.
SHA256 = bytes.fromhex("300d06096086480165030402010500")


def element(tag: int, content: bytes, *, indefinite: bool = False) -> bytes:
    """An element with a definite or an indefinite length."""
    if indefinite:
        return bytes([tag, 0x80]) + content + b"\0\0"
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def octets(content: bytes, *, piece_bytes: int = 0, indefinite: bool = False) -> bytes:
    """An octet string, whole or in pieces."""
    if not piece_bytes:
        return element(OCTETS, content)
    pieces = [content[at : at + piece_bytes] for at in range(0, len(content), piece_bytes)]
    return element(PIECES, b"".join(element(OCTETS, piece) for piece in pieces), indefinite=indefinite)


def signed(
    content: bytes | None,
    *,
    piece_bytes: int = 0,
    indefinite: bool = False,
    kind: bytes = SIGNED_DATA,
    behind: bytes = b"",
) -> bytes:
    """A ContentInfo. `behind` stands where the certificates and the signatures stand."""
    inside = b""
    if content is not None:
        string = octets(content, piece_bytes=piece_bytes, indefinite=indefinite)
        inside = element(EXPLICIT, string, indefinite=indefinite)
    encapsulated = element(SEQUENCE, DATA + inside, indefinite=indefinite)
    algorithms = element(SET, SHA256, indefinite=indefinite)
    body = element(INTEGER, b"\x01") + algorithms + encapsulated + behind
    data = element(SEQUENCE, body, indefinite=indefinite)
    return element(SEQUENCE, kind + element(EXPLICIT, data, indefinite=indefinite), indefinite=indefinite)
