"""Language tags (BCP 47) and the choice of the text that a reader gets.

RFC 5646 section 2.1 defines well-formed tags; RFC 4647 section 3.4 defines the lookup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from models.kernel import limits

_ALNUM = "[a-z0-9]"
_LANGUAGE = "(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"
_SUBTAGS = (
    "(?:-[a-z]{4})?"  # script
    "(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    f"(?:-(?:{_ALNUM}{{5,8}}|[0-9]{_ALNUM}{{3}}))*"  # variants
    f"(?:-[0-9a-wy-z](?:-{_ALNUM}{{2,8}})+)*"  # extensions
)
_PRIVATE = f"x(?:-{_ALNUM}{{1,8}})+"
# A pattern for schemas and OpenAPI. It ends without `$`, which in Python accepts a newline at the end.
PATTERN = rf"^(?:(?:{_LANGUAGE}{_SUBTAGS}(?:-{_PRIVATE})?)|{_PRIVATE})(?![\s\S])".replace("a-z", "A-Za-z").replace(
    "a-wy-z", "A-WY-Za-wy-z"
)
_TAG = re.compile(PATTERN)


def is_tag(text: str) -> bool:
    """Return True if the text is a well-formed language tag of at most `limits.locale_chars_max` characters."""
    return len(text) <= limits.locale_chars_max and _TAG.match(text) is not None


def primary(tag: str | None) -> str:
    """Return the tag's first part in lower case: `pt` of `pt-BR`."""
    return (tag or "").partition("-")[0].lower()


def match(tags: Iterable[str], wanted: str | None) -> str | None:
    """Return the tag of the text for a reader's tag, or None.

    The tag is shortened from its end until a text has it. Otherwise a text of the same primary language counts, such
    as `pt-BR` for a reader of `pt-PT`.
    """
    if not wanted:
        return None
    by_tag = {tag.lower(): tag for tag in tags}
    parts = wanted.lower().split("-")
    while parts:
        if (tag := by_tag.get("-".join(parts))) is not None:
            return tag
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()
    return next((tag for tag in by_tag.values() if primary(tag) == primary(wanted)), None)


def chosen(tags: Collection[str], *wanted: str | None) -> str:
    """Return the tag in the first of the wanted languages that has a text, else the first tag there is.

    Raises KeyError without any text.
    """
    for tag in wanted:
        if (found := match(tags, tag)) is not None:
            return found
    for tag in tags:
        return tag
    raise KeyError("a text in any language")


# Languages that are written in other letters than Latin ones.
_OTHER_LETTERS = (
    *("am", "ar", "be", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "km", "kn", "ko", "lo", "mk"),
    *("ml", "mr", "my", "ne", "pa", "ru", "si", "ta", "te", "th", "uk", "ur", "yi", "zh"),
)


def is_foreign_copy(text: str, tag: str) -> bool:
    """Return True if a text has Latin words only, although its language uses other letters."""
    if primary(tag) not in _OTHER_LETTERS or "-latn" in tag.lower():
        return False
    letters = [c for c in text if c.isalpha()]
    return bool(re.search(r"[A-Za-z]{3,}", text)) and all("LATIN" in unicodedata.name(c, "") for c in letters)
