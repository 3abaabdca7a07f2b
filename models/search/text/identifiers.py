"""Identifiers are found by any part: addresses, numbers, file names and message ids.

A part has no word boundary, so an identifier is also stored as its trigrams: every three neighbouring characters. A
query's part must have all of its trigrams in the document, and the identifiers are then compared themselves, because
the trigrams of one part can stand in different identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from models.search.text.folding import folded

part_chars_min = 4  # a shorter part stands in too many addresses: "art" is in every "martin"
numeric_part_chars_min = 3  # a part with a digit or a sign is meant as one
identifier_chars_max = 200  # longer message ids exist, and nobody types them
identifiers_max = 400  # of one ticket; a thread of 100 mails with two files each has some 300
_NUMERIC: Final = re.compile(r"[\d@._\-+/:#]")
_SIGN: Final = re.compile(r"[\W_]")
SEPARATOR: Final = "\n"


def stored(found: Iterable[str]) -> list[str]:
    """Return identifiers folded, each once, in the order of their first occurrence, within the bounds."""
    kept: dict[str, None] = {}
    for one in found:
        line = folded(" ".join(one.split()))[:identifier_chars_max]
        if line:
            kept[line] = None
        if len(kept) >= identifiers_max:
            break
    return list(kept)


def trigrams(identifier: str) -> set[str]:
    """Return the trigrams of a folded identifier. All signs count as one, so that a token is one word of the index."""
    plain = _SIGN.sub("_", identifier)
    return {f"~{plain[at : at + 3]}" for at in range(len(plain) - 2)}


def is_part(text: str) -> bool:
    """Return True if a folded text of a query is also sought as a part of identifiers."""
    return len(text) >= (numeric_part_chars_min if _NUMERIC.search(text) else part_chars_min)


def joined(identifiers: Sequence[str]) -> str:
    """Return the identifiers as the text in which parts are sought."""
    return SEPARATOR.join(identifiers)
