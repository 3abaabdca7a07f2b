"""Fold texts: case, accents and compatible forms of one character become equal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Accents and vowel points, which people leave out when they type a query: combining marks of Latin, Greek, Cyrillic,
# Hebrew and Arabic, the Arabic tatweel, and characters without a form. Vowel signs of Indic scripts and Thai are no
# accents; without them other words remain.
_LEFT_OUT: Final = re.compile(
    "(?<!\u0438)\u0306"  # the breve, but not that of й
    "|[\u0300-\u0305\u0307-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f\u00ad\u034f\u200b-\u200d\u2060\ufeff]"
)
# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)


def folded(text: str) -> str:
    """Return the text in small letters without accents, in Unicode's normal form C. `ё` becomes `е`; `й` stays."""
    if text.isascii():
        return text.lower()
    compatible = unicodedata.normalize("NFKC", text).casefold()
    bare = _LEFT_OUT.sub("", unicodedata.normalize("NFD", compatible)).translate(_LETTERS)
    return unicodedata.normalize("NFC", bare)
