"""The Bot API's text with entities: plain text, and formatted ranges of the text.

Messages do not use a parse mode: Telegram cannot read an agent's text as markup, and no escaping is needed.
Offsets and lengths are UTF-16 code units (https://core.telegram.org/bots/api#messageentity).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

# A character above this one has two UTF-16 units.
_WIDE = "\uffff"

# These kinds nest with all kinds except pre and code. An entity that contains pre or code is split around it.
SPLITTABLE = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(1 for character in text if character > _WIDE)


@dataclass(frozen=True, slots=True)
class Entity:
    """A formatted range of a text. A text_link has a `url`, a pre may have a `language`."""

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
    """A text and its entities, sorted by offset and then by descending length."""

    text: str
    entities: tuple[Entity, ...] = ()


class Builder:
    """A sequential writer of a text with entities that follows the Bot API's nesting rules.

    Two entities are nested or disjoint. A pre or code contains no entity. A quotation contains no quotation, and a link
    no link.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._units = 0
        # Line breaks to write before the next text.
        self._lines = 0
        # Line breaks at the end of the written text.
        self._ended = 0
        # True directly after a list marker.
        self._marked = False
        # At most one open entity of each kind.
        self._open: list[Entity] = []
        # The number of begins of a kind inside an open entity of that kind.
        self._again: Counter[str] = Counter()
        self._entities: list[Entity] = []

    def write(self, text: str) -> None:
        if not text:
            return
        self._break()
        self._pieces.append(text)
        self._units += units(text)
        self._marked, self._ended = False, 0

    def mark(self, text: str) -> None:
        """Begin a line with a list marker. The text that follows stays on that line."""
        self._marked = False
        self.lines(1)
        self.write(text)
        self._marked = True

    def lines(self, count: int) -> None:
        """Require at least `count` line breaks before the next text; none at the beginning and the end of the whole."""
        if not self._marked:
            self._lines = max(self._lines, count - self._ended)

    def begin(self, kind: str, url: str | None = None) -> None:
        """Begin an entity. Inside an entity of the same kind it has no effect, but it still needs its own `end`."""
        if self._index(kind) is not None:
            self._again[kind] += 1
            return
        self._break()
        around: list[Entity] = []
        if kind == "blockquote":
            # Code in the quotation splits the open entities, so they continue inside the quotation, not around it.
            around, self._open = self._open, []
            for entity in around:
                self._close(entity)
        self._open.append(Entity(kind, self._units, 0, url))
        self._open += [replace(entity, offset=self._units) for entity in around]

    def end(self, kind: str) -> None:
        """End the open entity of this kind; entities that began inside it continue."""
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
        """Write a text as `code` or `pre`; inside a link, as plain text of the link."""
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
        """End all entities and return the text without surrounding white space."""
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
    """Put a bold heading line before the text."""
    width = units(heading) + 1
    moved = (replace(entity, offset=entity.offset + width) for entity in rich.entities)
    return trimmed(Rich(f"{heading}\n{rich.text}", (Entity("bold", 0, width - 1), *moved)))


def _rank(kind: str) -> int:
    """Return the sort rank of a kind: of entities over the same text, the outer one is first."""
    return 0 if kind == "blockquote" else 1 if kind in SPLITTABLE else 2


def trimmed(rich: Rich) -> Rich:
    """Strip surrounding white space, as the Bot API does, and drop entities that become empty."""
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
