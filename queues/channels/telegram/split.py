"""Cut a long answer into messages that the Bot API takes.

The Bot API counts UTF-16 code units; an emoji is two. Cutting by Python's characters loses the send of a text full of them.
"""

from __future__ import annotations

_WIDE = 0x10000  # from here on, a character is two UTF-16 units


def split(text: str, utf16_max: int) -> list[str]:
    """The text in parts of at most `utf16_max` units: at a paragraph, else a line, else a word, else anywhere.

    Blanks at the cuts are dropped (Telegram trims them anyway); a text of blanks gives no part.
    """
    parts: list[str] = []
    rest = text.strip()
    start = 0
    while start < len(rest):
        end = _end(rest, start, utf16_max)
        if end < len(rest):
            end = _cut(rest, start, end)
        part = rest[start:end].strip()
        if part:
            parts.append(part)
        start = end
    return parts


def _end(text: str, start: int, utf16_max: int) -> int:
    """The end of the longest piece from `start` that fits; always at least one character on."""
    units = 0
    for index in range(start, min(len(text), start + utf16_max)):
        units += 2 if ord(text[index]) >= _WIDE else 1
        if units > utf16_max:
            return max(index, start + 1)
    return min(len(text), start + utf16_max)


def _cut(text: str, start: int, end: int) -> int:
    """The best place to cut before `end`; not in the first half, so that parts are not shreds."""
    middle = start + (end - start) // 2
    for mark in ("\n\n", "\n", " "):
        found = text.rfind(mark, middle, end)
        if found > start:
            return found
    return end
