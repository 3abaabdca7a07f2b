"""Make text from outside storable: PostgreSQL refuses NUL, UTF-8 has no lone surrogates, names must stay on one line.

The types of `models/ports` apply these functions to their own fields, so that no adapter has to.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# C0, DEL, C1 and the marks that change the reading direction: in a name or subject they only serve to deceive.
CONTROL = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
# Characters that show nothing by themselves: blanks, and Unicode's Default_Ignorable_Code_Point but the marks above.
# Inside a text they have a use (joiner of an emoji, variation selector); a title of them alone is invisible.
UNSEEN = (
    "\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_CONTROLS = re.compile(f"[{CONTROL}]+")
_SEEN = re.compile(f"[^{UNSEEN}{CONTROL}\ud800-\udfff]")
# Terminals obey some of these (ESC, backspace), and no keyboard writes one into a text of many lines.
_CONTROL_IN_LINES = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_NOT_IN_IDS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BLANKS = re.compile(r"\s+")
_DIGEST_CHARS = 17  # "#" and 16 hex digits
ERASED = "[erased]"  # stands where the text of an erased person was
CUT_NOTE = "\n[The text goes on; it is kept whole in the received event.]"

# The words with which mail programs begin the subject of a forward, in the languages of requesters.
FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|fw|wg|tr|rv|enc|i|doorst|vs|vl|vb|pd|přep|továbbítás"
    r"|ilt|iletildi|πρθ|пересл|прев|препр|转发|轉寄|転送|전달|הועבר)\s*[:：]",
    re.I,
)


def clean(text: str) -> str:
    """Text of many lines: storable, with `\\n` as line end."""
    return _UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def has_visible(text: str) -> bool:
    """Return True if a reader sees at least one character of the text."""
    return _SEEN.search(text) is not None


def has_control(text: str) -> bool:
    """Return True if a text of many lines contains control characters other than blanks and line ends, or lone
    surrogates.
    """
    return _CONTROL_IN_LINES.search(text) is not None


def one_line(text: str, chars_max: int) -> str:
    """Return a name or subject as one storable line without control characters, at most `chars_max` characters.

    A text that shows nothing becomes empty.
    """
    # Four times the room before the blanks go, so that a megabyte of them costs nothing.
    blank = _CONTROLS.sub(" ", text[: chars_max * 4])
    line = _BLANKS.sub(" ", _UNSTORABLE.sub("\ufffd", blank)).strip()
    if not has_visible(line):
        return ""
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + "…"


def identifier(text: str, chars_max: int) -> str:
    """Return an id or address storable and without control characters, otherwise unchanged.

    A longer one keeps its beginning and a digest of the whole, so that two different ids never become one.
    """
    line = _NOT_IN_IDS.sub("\ufffd", text)
    if len(line) <= chars_max:
        return line
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{line[: chars_max - _DIGEST_CHARS]}#{digest[: _DIGEST_CHARS - 1]}"


def cut(text: str, chars_max: int) -> str:
    """Return the text, or its beginning with a note that says so; never longer than `chars_max`."""
    return text if len(text) <= chars_max else text[: chars_max - len(CUT_NOTE)] + CUT_NOTE


def storable(found: Any) -> Any:
    """Return a JSON value that the database accepts: texts cleaned, NaN and infinity as text."""
    if isinstance(found, str):
        return clean(found)
    if isinstance(found, float) and not math.isfinite(found):
        return json.dumps(found)
    if isinstance(found, Mapping):
        return {clean(key) if isinstance(key, str) else key: storable(one) for key, one in found.items()}
    return [storable(one) for one in found] if isinstance(found, list | tuple) else found
