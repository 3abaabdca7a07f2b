"""Names of things in definitions: letters of any script, digits and underscores."""

from __future__ import annotations

import re
import unicodedata

from models.kernel.text import CONTROL, UNSEEN

chars_max = 41

EXPECTED = "expected a name of lower-case letters, digits and underscores, at most 41 characters"


# A visible character beyond ASCII.
ANY_SCRIPT = rf"(?![{UNSEEN}{CONTROL}])[^\x00-\x7f]"
# A word that a caller chooses, such as a tag. JSON Schema has no classes for letters, so it takes signs of any script.
WORD_PATTERN = rf"^(?:[a-z]|{ANY_SCRIPT})(?:[a-z0-9_-]|{ANY_SCRIPT})*(?![\s\S])"
_WORD = re.compile(WORD_PATTERN)
word_chars_max = 60


def is_word(text: str) -> bool:
    """Return True if the text is a word of at most `word_chars_max` characters."""
    return len(text) <= word_chars_max and _WORD.match(text) is not None


def is_name(text: str) -> bool:
    """Return True if the text is a name: a word without capitals, in Unicode's normal form C.

    Letters are those of identifiers (UAX 31), which include the vowel signs of Indic scripts.
    """
    if not 0 < len(text) <= chars_max or not text.isidentifier() or text[0] == "_":
        return False
    return text == text.lower() and unicodedata.is_normalized("NFC", text)


def is_dashed_name(text: str) -> bool:
    """Return True if the text is a name that may also have dashes, as names of life cycles and ticket types do."""
    return not text.startswith("-") and is_name(text.replace("-", "_"))


def folded(text: str) -> str:
    """Return a tag in the form in which it is stored and compared: small letters, in Unicode's normal form C."""
    return unicodedata.normalize("NFC", text.lower())
