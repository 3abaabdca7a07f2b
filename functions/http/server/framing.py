"""Framing: finds the end of a request in the bytes that have arrived (RFC 9112, section 6). Pure.

It only decides when a thread takes the request. gunicorn's parser decides what the request is, so a head that this
module reads differently costs waiting time and changes no meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_END = b"\r\n\r\n"
_BODY = re.compile(rb"\r\n(transfer-encoding|expect|content-length)[ \t]*:[ \t]*([^\r]*)", re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_digits_max = 15
_PROBE = re.compile(rb"(?:\r\n)?(?:GET|HEAD) /(?:healthz|readyz)/?(?:\?\S*)? HTTP/1\.[01]\r\n")


@dataclass(frozen=True, slots=True)
class Framing:
    """A complete head. `body_bytes`: None where only the parser knows the end of the body, or must answer first."""

    head_bytes: int
    body_bytes: int | None
    probe: bool


def read(received: bytearray, searched_bytes: int = 0) -> Framing | None:
    """Return the framing of the first request in `received`, or None while its head is incomplete.

    The first `searched_bytes` are known to hold no end of a head.
    """
    end = received.find(_END, max(0, searched_bytes - len(_END) + 1))
    if end < 0:
        return None
    head = bytes(received[: end + len(_END)])
    body_bytes = _body_bytes(_BODY.findall(head))
    return Framing(len(head), body_bytes, body_bytes == 0 and _PROBE.match(head) is not None)


def _body_bytes(fields: list[tuple[bytes, bytes]]) -> int | None:
    if not fields:
        return 0
    name, value = fields[0][0].lower(), fields[0][1].strip()
    simple = len(fields) == 1 and name == b"content-length" and value.isdigit() and len(value) <= _digits_max
    return int(value) if simple else None


def is_hopeless(received: bytearray, searched_bytes: int = 0) -> bool:
    """Return True if the head has a line that ends without CR. The parser refuses such a head at once.

    The first `searched_bytes` are known to have none, so a head that comes byte by byte is searched once.
    """
    return _BARE_LF.search(received, searched_bytes) is not None
