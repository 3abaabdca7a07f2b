"""Parameters of Content-Type and Content-Disposition by RFC 2045 and RFC 2231, and as broken senders write them.

One pass reads at most `mime_limits.parameter_bytes_max`; the standard library's reader is quadratic and raises.
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
# Of one extended parameter, by number: the bytes, and whether they are percent-encoded.
_Sections = dict[int, tuple[bytes, bool]]
_TOKENS = frozenset(["charset", "format", "delsp", "smime-type", "protocol", "report-type", "method", "micalg"])


def parameters(value: bytes | None, *, raw_charset: str | None = None) -> tuple[str, dict[str, str]]:
    """Return the value in lower case, and its decoded parameters by lower-case name.

    An extended form (`name*=`, `name*0*=`) wins over the plain one unless it cannot be read.
    """
    if value is None:
        return "", {}
    value = value[: limits.parameter_bytes_max]
    head_end = _head_end(value)
    plain, sections = _split(value, head_end)
    found = {name: _plain(name, content, raw_charset) for name, content in plain.items()}
    for name, pieces in sections.items():
        text = _joined(pieces)
        if text and not (found.get(name) and "\ufffd" in text):
            found[name] = text
    return "".join(value[:head_end].decode("latin-1").lower().split()), found


def _head_end(value: bytes) -> int:
    """Return where the value itself ends; 0 when it is missing, as in "Content-Type: charset=utf-8"."""
    if _KEY.match(value):
        return 0
    end = _VALUE_END.search(value)
    return end.start() if end else len(value)


def _split(value: bytes, at: int) -> tuple[dict[str, bytes], dict[str, _Sections]]:
    """Return the plain parameters, and the sections of the extended ones, by name."""
    plain: dict[str, bytes] = {}
    sections: dict[str, _Sections] = {}
    while at < len(value) and (key := _KEY.search(value, at)) is not None:
        content, at = _content(value, key.end())
        name = key[1].decode("ascii").lower()
        if key[2] is None and key[3] is None:
            plain[name] = plain.get(name) or content
        else:
            sections.setdefault(name, {}).setdefault(int(key[2] or 0), (content, key[3] is not None))
    return plain, sections


def _content(value: bytes, at: int) -> tuple[bytes, int]:
    """Return a parameter's bytes and where the next parameter may begin."""
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
    # Only these two are unescaped: a Windows path has other backslashes.
    return value[at + 1 : stop].replace(b"\\\\", b"\\").replace(b'\\"', b'"'), stop + 1


def _is_escaped(value: bytes, opened: int, at: int) -> bool:
    """Return True if an odd number of backslashes stands before the quote, and another quote follows that can close."""
    before = value[opened + 1 : at]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1 and b'"' in value[at + 1 :]


def _plain(name: str, content: bytes, raw_charset: str | None) -> str:
    if name == "boundary":
        # Boundaries are compared byte by byte.
        return content.decode("latin-1")
    text = text_of(content, raw_charset=raw_charset)
    if name in _TOKENS:
        token = _TOKEN.search(text)
        return token[0] if token else ""
    return text


def _joined(sections: _Sections) -> str:
    """Join the sections in the order of their numbers and decode them; a character may be cut between two."""
    charset: str | None = None
    joined = []
    for index, (content, is_encoded) in enumerate(section for _, section in sorted(sections.items())):
        opening = _EXTENDED.fullmatch(content) if is_encoded and index == 0 else None
        if opening is not None:
            charset, content = opening[1].decode("latin-1").strip().strip('"') or None, opening[3]
        joined.append(unquote_to_bytes(content) if is_encoded else content)
    whole = b"".join(joined)
    # Some senders write encoded words (RFC 2047) in the form of RFC 2231.
    return text_of(whole) if b"=?" in whole and b"?=" in whole else decode(whole, charset)
