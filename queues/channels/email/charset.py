"""Bytes of a doubtful charset become text: a ladder of guesses, from what was declared to what always works (INGRESS 1.6)."""

from __future__ import annotations

import codecs
import re

from queues.channels.email import mime_limits

# Declared names that mean a larger relative in practice, and names that Python does not know.
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "iso-gb2312": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "utf8": "utf-8",
    "ansi_x3.110-1983": "cp1252",
    "default": "utf-8",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,39}", re.ASCII)
# Text codecs of Python that are no charset of mail; punycode is even quadratic.
_NEVER = frozenset(
    {"idna", "punycode", "unicode_escape", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"}
)
_GUESS_FROM_BYTES = 64  # shorter text misleads the detector
_BROKEN_SHARE_MAX = 0.02  # so few broken characters are damage; more are another charset


def decode(content: bytes, declared: str | None = None) -> str:
    """The bytes as text, always."""
    codec = _codec(declared)
    if codec is not None and codec != "ascii":
        text = _strict(content, codec) or _nearly(content, codec)
        if text is not None:
            return text
    for candidate in ("iso2022_jp_ext" if b"\x1b$" in content else None, "ascii", "utf-8"):
        text = None if candidate is None else _strict(content, candidate)
        if text is not None:
            return text
    guessed = _guess(content)
    return (_strict(content, guessed) if guessed else None) or content.decode("cp1252", "replace")


def _codec(declared: str | None) -> str | None:
    """Python's name of a declared charset, if it is a charset of text that we trust."""
    name = (declared or "").strip().strip("\"'").lower()
    if not _NAME.fullmatch(name):
        return None
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return None
    return None if info.name in _NEVER or not getattr(info, "_is_text_encoding", True) else info.name


def _strict(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _nearly(content: bytes, codec: str) -> str | None:
    """Text with a few damaged characters: one cut in half must not turn a whole mail into another alphabet."""
    text = content.decode(codec, "replace")
    return text if text.count("\ufffd") <= max(1, len(text) * _BROKEN_SHARE_MAX) else None


def _guess(content: bytes) -> str | None:
    if len(content) < _GUESS_FROM_BYTES:
        return None
    from charset_normalizer import from_bytes  # 60 ms to import, and one mail in hundreds needs it

    best = from_bytes(content[: mime_limits.charset_sample_bytes]).best()
    return None if best is None else _codec(best.encoding)
