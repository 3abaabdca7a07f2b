"""Parameters of Content-Type and Content-Disposition as senders write them (RFC 2045, RFC 2231, and against both).

One pass over at most `mime_limits.parameter_bytes_max`; the standard library's reader is quadratic and raises.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from queues.channels.email import limits
from queues.channels.email.reading.charset import decode
from queues.channels.email.reading.headers import text_of

_KEY = re.compile(rb"[\s;,]*([A-Za-z0-9!#$&^_.+-]{1,60})(?:\*(\d{1,3}))?(\*)?\s*=\s*")
_CLOSING = re.compile(rb"\"(?=\s*(?:;|\Z|\(|,\s*[A-Za-z]|[A-Za-z-]{1,20}\*?\d{0,3}\*?=))")
_UNQUOTED_END = re.compile(
    rb";|\s+(?=(?:name|filename|charset|boundary|format|delsp|type|size|x-[a-z-]{1,20})\*?\d{0,3}\*?=)", re.I
)
_VALUE_END = re.compile(rb"[;]|\s+(?=[A-Za-z-]{1,20}\*?\d{0,3}\*?=)|\Z")
_TOKEN = re.compile(r"[^\s;()\"']{1,100}")
_EXTENDED = re.compile(rb"([^'%]{0,40})'([^'%]{0,40})'(.*)", re.DOTALL)
_TOKENS = frozenset(["charset", "format", "delsp", "smime-type", "protocol", "report-type", "method", "micalg"])


def parameters(value: bytes | None, *, raw_charset: str | None = None) -> tuple[str, dict[str, str]]:
    """The value itself in lower case, and its parameters by lower-case name, decoded.

    An extended form (`name*=`, `name*0*=`) wins over the plain one unless it cannot be read.
    """
    if value is None:
        return "", {}
    value = value[: limits.parameter_bytes_max]
    if _KEY.match(value):  # "Content-Type: charset=utf-8"
        head, at = b"", 0
    else:
        end = _VALUE_END.search(value)
        at = end.start() if end else len(value)
        head = value[:at]
    plain: dict[str, bytes] = {}
    sections: dict[str, dict[int, tuple[bytes, bool]]] = {}
    while at < len(value) and (key := _KEY.search(value, at)) is not None:
        content, at = _content(value, key.end())
        name = key[1].decode("ascii").lower()
        if key[2] is None and key[3] is None:
            if not plain.get(name):
                plain[name] = content
        else:
            sections.setdefault(name, {}).setdefault(int(key[2] or 0), (content, key[3] is not None))
    found = {name: _plain(name, content, raw_charset) for name, content in plain.items()}
    for name, pieces in sections.items():
        text = _joined(pieces)
        if text and not (found.get(name) and "\ufffd" in text):
            found[name] = text
    return "".join(head.decode("latin-1").lower().split()), found


def _content(value: bytes, at: int) -> tuple[bytes, int]:
    """A parameter's bytes and where the next one may begin."""
    if not value.startswith(b'"', at):
        end = _UNQUOTED_END.search(value, at)
        stop = end.start() if end else len(value)
        return value[at:stop].strip().strip(b'"'), stop
    closing = _CLOSING.search(value, at + 1)
    while (
        closing is not None
        and value[closing.start() - 1 : closing.start()] == b"\\"
        and _is_escaped(value, at, closing.start())
    ):
        closing = _CLOSING.search(value, closing.end())
    stop = closing.start() if closing else len(value)
    # Only these two: a path of Windows has other backslashes.
    return value[at + 1 : stop].replace(b"\\\\", b"\\").replace(b'\\"', b'"'), stop + 1


def _is_escaped(value: bytes, opened: int, at: int) -> bool:
    """Whether an odd number of backslashes stands before, and another quote comes that can close."""
    before = value[opened + 1 : at]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1 and b'"' in value[at + 1 :]


def _plain(name: str, content: bytes, raw_charset: str | None) -> str:
    if name == "boundary":
        return content.decode("latin-1")  # compared byte by byte
    text = text_of(content, raw_charset=raw_charset)
    if name in _TOKENS:
        token = _TOKEN.search(text)
        return token[0] if token else ""
    return text


def _joined(pieces: dict[int, tuple[bytes, bool]]) -> str:
    """The sections in the order of their numbers; a character may be cut between two."""
    charset: str | None = None
    joined, is_extended = [], False
    for index, (content, encoded) in enumerate(content for _, content in sorted(pieces.items())):
        if encoded:
            opening = _EXTENDED.fullmatch(content) if index == 0 else None
            if opening is not None:
                charset, content = opening[1].decode("latin-1").strip().strip('"') or None, opening[3]
            is_extended = is_extended or b"%" in content or opening is not None
            content = unquote_to_bytes(content)
        joined.append(content)
    whole = b"".join(joined)
    # Some write encoded words (RFC 2047) where RFC 2231 is announced.
    return text_of(whole) if b"=?" in whole and b"?=" in whole else decode(whole, charset)
