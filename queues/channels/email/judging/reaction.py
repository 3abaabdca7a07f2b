"""Read reactions: a mail that says with an emoji what its author thinks of a message (RFC 9078, Gmail).

Gmail describes its form at https://developers.google.com/workspace/gmail/reactions/format. Such a mail is no message.
A mail that has other words as well stays a message, so that no words are lost.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from models.kernel import limits as desk_limits
from queues.channels.email import limits
from queues.channels.email.reading.mime import Part

_GOOGLE = "text/vnd.google.email-reaction+json"
_DISPOSITION = re.compile(rb"\s*reaction\s*(;|$)", re.IGNORECASE)


def emojis_of(root: Part) -> tuple[str, ...]:
    """Return the emojis of a mail that is a reaction; empty for any other mail."""
    for part in root.all_parts():
        if part.content_type == _GOOGLE:
            return _google(part) if _says_nothing_else(root, part) else ()
        if _is_declared(part):
            others = (one for one in root.leaves() if one is not part)
            return _declared(part) if not any(_has_words(one) for one in others) else ()
    return ()


def _google(part: Part) -> tuple[str, ...]:
    try:
        told = json.loads(part.content(limits.reaction_bytes_max))
    except (ValueError, RecursionError):
        return ()
    return _checked([told.get("emoji")]) if isinstance(told, dict) else ()


def _says_nothing_else(root: Part, reaction: Part) -> bool:
    """Return True if all other words are alternatives of the reaction, for programs that do not know it."""
    alternatives = {
        id(leaf)
        for part in root.all_parts()
        if part.content_type == "multipart/alternative" and any(leaf is reaction for leaf in part.leaves())
        for leaf in part.leaves()
    }
    return not any(_has_words(one) for one in root.leaves() if one is not reaction and id(one) not in alternatives)


def _is_declared(part: Part) -> bool:
    value = next((value for name, value in part.headers if name == b"content-disposition"), b"")
    return not part.children and part.content_type == "text/plain" and _DISPOSITION.match(value) is not None


def _declared(part: Part) -> tuple[str, ...]:
    """Read emojis with blanks between them (RFC 9078 section 2); UTF-8 whatever the part declares."""
    text = part.content(limits.reaction_bytes_max).decode("utf-8", "replace")
    return _checked(text.split())


def _has_words(part: Part) -> bool:
    return part.content_type.startswith("text/") and bool(part.content(limits.reaction_bytes_max).strip())


def _checked(found: Iterable[object]) -> tuple[str, ...]:
    """Return the emojis; empty if one of them is something else. Words are no reaction."""
    emojis: list[str] = []
    for one in found:
        if not isinstance(one, str) or not _is_emoji(one) or len(emojis) == limits.reactions_max:
            return ()
        emojis.append(one)
    return tuple(dict.fromkeys(emojis))


def _is_emoji(text: str) -> bool:
    is_short = 0 < len(text) <= desk_limits.emoji_chars_max
    # Keycaps begin with a digit. The joiners and the tag characters of flags are formats.
    categories = {unicodedata.category(character)[0] for character in text}
    return is_short and not text.isascii() and not categories & {"L", "Z"}
