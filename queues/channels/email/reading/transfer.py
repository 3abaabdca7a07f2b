"""Decode a part's transfer encoding (RFC 2045 section 6), also with inner padding, short lines or a wrong name.

Base64 is decoded slice by slice: a file of 25 MB costs its own size; the standard library takes 520 MB for it.
"""

from __future__ import annotations

import binascii
import io
import re

from queues.channels.email import limits
from queues.channels.email.reading import uuencode

_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FOREIGN = bytes(byte for byte in range(256) if byte not in _DIGITS + b"-_")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
# After padding only another whole line of digits continues the data; the footer of a mailing list does not.
_GOES_ON = re.compile(
    rb"={0,2}[ \t]{0,8}[\r\n]{1,8}(?:[A-Za-z0-9+/]{4}){0,64}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)"
    rb"[ \t]{0,8}(?:[\r\n]|\Z)"
)
_PADS = re.compile(rb"=+")
_BLANKS_AFTER_SOFT_BREAK = re.compile(rb"=[ \t]{1,20}(?=\r?\n)")
_NAME = re.compile(rb"[\s\"']{0,5}([A-Za-z0-9/_-]{1,30})")
_NAMES = {
    b"base64": "base64",
    b"base-64": "base64",
    b"b": "base64",
    b"quoted-printable": "quoted-printable",
    b"quoted_printable": "quoted-printable",
    b"quotedprintable": "quoted-printable",
    b"quoted/printable": "quoted-printable",
    b"quoted": "quoted-printable",
    b"qp": "quoted-printable",
    b"x-uuencode": "uuencode",
    b"uuencode": "uuencode",
    b"x-uue": "uuencode",
    b"x-uu": "uuencode",
    b"uue": "uuencode",
}


def encoding_of(value: bytes | None) -> str:
    """Return base64, quoted-printable or uuencode; empty for an encoding that needs no decoding or is unknown."""
    match = _NAME.match(value or b"")
    return _NAMES.get(match[1].lower(), "") if match else ""


def decoded(source: bytes, start: int, end: int, encoding: str) -> bytes:
    """Decode `source[start:end]`. Never raises."""
    if encoding == "base64":
        return from_base64(source, start, end)
    body = source[start:end]
    if encoding == "quoted-printable":
        return from_quoted_printable(body)
    return uuencode.decoded(body) if encoding == "uuencode" else body


def from_base64(source: bytes, start: int = 0, end: int | None = None) -> bytes:
    """Decode base64. Foreign characters are ignored, padding may be missing or repeated, URL-safe digits are digits.

    A body of many tiny pieces with padding is no base64 and stays as it is.
    """
    stop = len(source) if end is None else end
    out, carry, at = io.BytesIO(), b"", start
    pieces_max = limits.base64_pieces_max + (stop - start) // limits.base64_piece_bytes_min
    for _ in range(pieces_max):
        slice_end = min(at + limits.base64_slice_bytes, stop)
        pad = source.find(b"=", at, slice_end)
        digits = carry + source[at : slice_end if pad < 0 else pad].translate(_URL_SAFE, _FOREIGN)
        whole = len(digits) // 4 * 4
        out.write(binascii.a2b_base64(digits[:whole]))
        carry = digits[whole:]
        at = slice_end
        if pad >= 0:
            pads = _PADS.match(source, pad, stop)
            assert pads is not None, "find() returned its place"
            at = pads.end()
            # With fewer digits it is a soft line break of quoted-printable, or damage.
            if len(carry) > 1:
                out.write(_last_digits(carry))
                carry = b""
                if _GOES_ON.match(source, pad, stop) is None:
                    break
        if at >= stop:
            break
    else:
        return source[start:stop]
    out.write(_last_digits(carry))
    return out.getvalue()


def _last_digits(digits: bytes) -> bytes:
    return binascii.a2b_base64(digits + b"==") if len(digits) > 1 else b""


def from_quoted_printable(body: bytes) -> bytes:
    """Decode quoted-printable; malformed escapes stay as they are."""
    if b"= " in body or b"=\t" in body:
        body = _BLANKS_AFTER_SOFT_BREAK.sub(b"=", body)
    return binascii.a2b_qp(body)


def is_base64_text(body: bytes) -> bool:
    """Return True if the body is base64, perhaps with a footer of a mailing list; plain text has blanks and
    punctuation.
    """
    sample = body[: limits.encoding_sample_bytes].strip()
    first = sample.split(b"\n", 1)[0].strip()
    if len(first) >= _SURE_LINE_BYTES_MIN and not first.strip(_DIGITS + b"=-_"):
        return True
    foreign = sum(1 for line in sample.split(b"\n") for byte in line.strip() if byte not in _BASE64_BYTES)
    return foreign * 20 <= len(sample)


# No word of a plain text is so long.
_SURE_LINE_BYTES_MIN = 24
_BASE64_BYTES = frozenset(_DIGITS + b"=-_")
