"""The splitting of a long formatted text into messages within the Bot API's limits.

The Bot API counts UTF-16 code units, and an emoji has two. It rejects a text with many emoji that was cut by Python's
character count.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import accumulate

from models.kernel import limits
from queues.channels.telegram.writing.rich import Entity, Rich, trimmed

_MARKS = ("\n\n", "\n", " ")
_JOINER = "\u200d"
# A longer grapheme cluster is not a real letter, so it may be cut.
_GRAPHEME_CHARS_MAX = 32
_EXTENDING = frozenset({"Mn", "Mc", "Me"})


def split(
    rich: Rich,
    utf16_max: int = limits.telegram_text_utf16_max,
    entities_max: int = limits.telegram_entities_max,
) -> list[Rich]:
    """Split the text into parts of at most `utf16_max` units, at a paragraph, line, word or grapheme cluster.

    An entity at a cut ends in one part and continues in the next. White space at the cuts is dropped, because Telegram
    trims it. A text of white space has no parts.
    """
    rich = trimmed(rich)
    text, entities = rich.text, rich.entities
    places = _places(text)
    parts: list[Rich] = []
    # Entities that began in an earlier part.
    going_on: list[Entity] = []
    start = begun = 0
    while start < len(text):
        end = max(bisect_right(places, places[start] + utf16_max) - 1, start + 1)
        # The index of the first entity above the limit.
        crowd = begun + max(entities_max - len(going_on), 0)
        if crowd < len(entities) and places[start] < entities[crowd].offset < places[end]:
            end = bisect_left(places, entities[crowd].offset)
        elif end < len(text):
            end = _cut(text, start, end)
        upto = bisect_left(entities, places[end], lo=begun, key=lambda entity: entity.offset)
        inside = [*going_on, *entities[begun:upto]]
        part = _part(text[start:end], inside[:entities_max], places[start], places[end])
        if part.text:
            parts.append(part)
        going_on = [entity for entity in inside if entity.end > places[end]]
        start, begun = end, upto
    return parts


def _places(text: str) -> list[int]:
    """Return the UTF-16 offset of each character and of the end."""
    return [0, *accumulate(2 if character > "\uffff" else 1 for character in text)]


def _part(text: str, entities: list[Entity], low: int, high: int) -> Rich:
    """Return the part [low, high) with the entities clipped to it."""
    return trimmed(
        Rich(
            text,
            tuple(
                replace(one, offset=max(one.offset, low) - low, length=min(one.end, high) - max(one.offset, low))
                for one in entities
            ),
        )
    )


def _cut(text: str, start: int, end: int) -> int:
    """Return the best index to cut at before `end`. White space in the first half is ignored, so parts are not tiny."""
    middle = start + (end - start) // 2
    for mark in _MARKS:
        found = text.rfind(mark, middle, end)
        if found > start:
            return found
    for place in range(end, max(start, end - _GRAPHEME_CHARS_MAX), -1):
        if not _inside_letter(text, place):
            return place
    return end


def _inside_letter(text: str, place: int) -> bool:
    """Return True if the characters around `place` form one grapheme cluster (the common cases of UAX #29)."""
    before, after = text[place - 1], text[place]
    return (
        before == _JOINER
        or after == _JOINER
        or unicodedata.category(after) in _EXTENDING  # accents, vowel signs, variation selectors
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # tag characters in the flag of a region
        or (_is_flag_half(before) and _is_flag_half(after) and _flag_halves_before(text, place) % 2 == 1)
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, place: int) -> int:
    count = 0
    while count < _GRAPHEME_CHARS_MAX and place - count > 0 and _is_flag_half(text[place - count - 1]):
        count += 1
    return count
