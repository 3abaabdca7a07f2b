"""Text with entities as the Bot API has it: plain text, and ranges of it that look otherwise.

Never a parse mode: what an agent wrote can then not be taken for markup, and there is nothing to escape.
Offsets and lengths are UTF-16 code units (https://core.telegram.org/bots/api#messageentity).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

_WIDE = "\uffff"  # above it, a character is two UTF-16 units

# May contain, and be part of, any other entity but pre and code; cut into pieces where one of those stands inside.
SPLITTABLE = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})


def units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(1 for character in text if character > _WIDE)


@dataclass(frozen=True, slots=True)
class Entity:
    """A range of a text; `url` of a text_link, `language` of a pre."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Rich:
    """A text and its entities, in order: by offset, the longer first."""

    text: str
    entities: tuple[Entity, ...] = ()


class Builder:
    """Writes a text front to back and keeps the rules by which entities may lie in one another.

    One fully contains the other or they are apart; pre and code contain nothing; no quotation in a quotation; no link in a link.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._units = 0
        self._lines = 0  # ends of line that come before whatever is written next
        self._ended = 0  # ends of line that were written last
        self._marked = False  # what was written last is a list's mark
        self._open: list[Entity] = []  # of each kind one at most
        self._again: Counter[str] = Counter()  # how often a kind was begun inside itself
        self._entities: list[Entity] = []

    def write(self, text: str) -> None:
        if not text:
            return
        self._break()
        self._pieces.append(text)
        self._units += units(text)
        self._marked, self._ended = False, 0

    def mark(self, text: str) -> None:
        """A list's mark on a line of its own, before what comes next, whatever gap that asks for."""
        self._marked = False
        self.lines(1)
        self.write(text)
        self._marked = True

    def lines(self, count: int) -> None:
        """At least `count` ends of line before the next text; none at the beginning and the end."""
        if not self._marked:
            self._lines = max(self._lines, count - self._ended)

    def begin(self, kind: str, url: str | None = None) -> None:
        """What follows is of this kind. Inside one of its own kind it changes nothing, but it must be ended all the same."""
        if self._index(kind) is not None:
            self._again[kind] += 1
            return
        self._break()
        around: list[Entity] = []
        if (
            kind == "blockquote"
        ):  # code inside would cut what goes on in it: that must lie in the quotation, not around it
            around, self._open = self._open, []
            for entity in around:
                self._close(entity)
        self._open.append(Entity(kind, self._units, 0, url))
        self._open += [replace(entity, offset=self._units) for entity in around]

    def end(self, kind: str) -> None:
        """The last open one of this kind ends; those begun inside it go on."""
        at = self._index(kind)
        if at is None:
            return
        if self._again[kind]:
            self._again[kind] -= 1
            return
        for entity in self._open[at:]:
            self._close(entity)
        self._open[at:] = [replace(entity, offset=self._units) for entity in self._open[at + 1 :]]

    def verbatim(self, kind: str, text: str, language: str | None = None) -> None:
        """A text as `code` or `pre`; inside a link it is the link's text and no more."""
        self._break()
        if any(entity.type == "text_link" for entity in self._open):
            self.write(text)
            return
        for entity in self._open:
            if entity.type in SPLITTABLE:
                self._close(entity)
        start = self._units
        self.write(text)
        self._entities.append(Entity(kind, start, self._units - start, language=language))
        self._open = [
            replace(entity, offset=self._units) if entity.type in SPLITTABLE else entity for entity in self._open
        ]

    def finish(self) -> Rich:
        """The whole, without blanks around it."""
        for entity in self._open:
            self._close(entity)
        self._open.clear()
        return trimmed(Rich("".join(self._pieces), tuple(self._entities)))

    def _break(self) -> None:
        if self._lines and self._pieces:
            self._pieces.append("\n" * self._lines)
            self._units += self._lines
            self._ended += self._lines
        self._lines = 0

    def _close(self, entity: Entity) -> None:
        if self._units > entity.offset:
            self._entities.append(replace(entity, length=self._units - entity.offset))

    def _index(self, kind: str) -> int | None:
        return next((index for index, entity in enumerate(self._open) if entity.type == kind), None)


def headed(heading: str, rich: Rich) -> Rich:
    """The text under a line in bold."""
    width = units(heading) + 1
    moved = (replace(entity, offset=entity.offset + width) for entity in rich.entities)
    return trimmed(Rich(f"{heading}\n{rich.text}", (Entity("bold", 0, width - 1), *moved)))


def _rank(kind: str) -> int:
    """Of entities over the same text, the outer first."""
    return 0 if kind == "blockquote" else 1 if kind in SPLITTABLE else 2


def trimmed(rich: Rich) -> Rich:
    """Without blanks around the text, as the Bot API would cut them; entities that held nothing else go."""
    text = rich.text.rstrip()
    kept = text.lstrip()
    shift, end = units(text) - units(kept), units(text)
    entities = []
    for entity in rich.entities:
        first, last = max(entity.offset, shift), min(entity.end, end)
        if last > first:
            entities.append(replace(entity, offset=first - shift, length=last - first))
    entities.sort(key=lambda entity: (entity.offset, -entity.length, _rank(entity.type)))
    return Rich(kept, tuple(entities))
