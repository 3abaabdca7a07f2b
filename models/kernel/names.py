"""Names of things in definitions: letters of any script, digits and underscores."""

from __future__ import annotations

import unicodedata

chars_max = 41

EXPECTED = "expected a name of lower-case letters, digits and underscores, at most 41 characters"


def is_name(text: str, *, chars_max: int = chars_max) -> bool:
    """Return True if the text is a name: a word without capitals, in Unicode's normal form C.

    Letters are those of identifiers (UAX 31), which include the vowel signs of Indic scripts.
    """
    if not 0 < len(text) <= chars_max or not text.isidentifier() or text[0] == "_":
        return False
    return text == text.lower() and unicodedata.is_normalized("NFC", text)


def is_dashed_name(text: str, *, chars_max: int = chars_max) -> bool:
    """Return True if the text is a name that may also have dashes, as names of life cycles and ticket types do."""
    return not text.startswith("-") and is_name(text.replace("-", "_"), chars_max=chars_max)


def folded(text: str) -> str:
    """Return a tag in the form in which it is stored and compared: small letters, in Unicode's normal form C."""
    return unicodedata.normalize("NFC", text.lower())
