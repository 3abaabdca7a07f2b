"""Make a stranger's text storable: PostgreSQL refuses NUL, UTF-8 has no lone surrogates, names must stay on one line.

Without it, one odd character in a display name makes an event fail at the INSERT, long after it was accepted.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from models.kernel.errors import ConfigurationError, Unauthenticated

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# C0, DEL, C1 and the marks that turn the reading direction: in a name or subject they only serve to deceive.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_BLANKS = re.compile(r"\s+")
CUT_NOTE = "\n[The text goes on; it is kept whole in the received event.]"


def clean(text: str) -> str:
    """Text of many lines: storable, with `\\n` as line end."""
    return _UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, chars_max: int) -> str:
    """A name or subject: storable, one line, no control characters, at most `chars_max` characters."""
    # Four times the room before the blanks go, so that a megabyte of it costs nothing.
    blank = _CONTROL.sub(" ", text[: chars_max * 4])
    line = _BLANKS.sub(" ", _UNSTORABLE.sub("\ufffd", blank)).strip()
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


def cut(text: str, chars_max: int) -> str:
    """The text, or its beginning with a note that says so; never longer than `chars_max`."""
    return text if len(text) <= chars_max else text[: chars_max - len(CUT_NOTE)] + CUT_NOTE


def short_hash(text: bytes) -> str:
    """16 hex digits that stand for an address where the address itself must not be seen."""
    return hashlib.sha256(text).hexdigest()[:16]


def check_secret(given: str | None, expected: str) -> None:
    """Compare in constant time. Raises Unauthenticated, the same for missing and wrong.

    An empty expected secret would let everybody in, so it raises ConfigurationError.
    """
    if not expected:
        raise ConfigurationError("the channel account's webhook secret is empty: give it a value")
    right = hmac.compare_digest((given or "").encode("utf-8", "replace"), expected.encode())
    if given is None or not right:
        raise Unauthenticated("this webhook needs the channel account's secret")
