"""One ticket as a document of the index: its tokens, and the texts in which phrases and parts are compared.

The kinds of tokens, by their beginning:

    word        the stem of a word in a text that every reader of the ticket sees
    =word       the plain form of such a word where the stem differs, for the search by a word's beginning
    ~abc        a trigram of an identifier
    t:word      the stem of a word of the title, for the order by relevance
    #:1042      the ticket's number
    n:...       the same kinds, in notes
    f.name:...  the same kinds, in the field `name`
    @:type      a type that the ticket has or had; its model guards the fields
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.search.text import identifiers
from models.search.text.folding import folded
from models.search.text.words import Word, words

FORM: Final = 1  # of tokens and texts; `rebuild` writes documents of an earlier form again

text_chars_max = 262_144  # of one ticket: a thread of 100 long mails; every new message writes the document again
tokens_bytes_max = 900_000  # PostgreSQL refuses a tsvector of 1 MiB, and counts some bytes for each lexeme
_bytes_of_a_lexeme = 8  # PostgreSQL's own, rounded up

NOTE: Final = "n:"
TITLE: Final = "t:"
NUMBER: Final = "#:"
TYPE: Final = "@:"
PLAIN: Final = "="
_GAP: Final = "\n"  # between two texts; a phrase does not reach from one into the other


def of_field(name: str) -> str:
    """Return the beginning of the tokens of a field."""
    return f"f.{name}:"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one kind of reader, and the identifiers among them."""

    texts: Sequence[str] = ()
    identifiers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """The texts of a ticket, read from its rows. `fields`: name -> texts of its value."""

    number: int
    title: str
    types: Sequence[str]
    public: Texts
    notes: Texts = Texts()
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """The stored form of a ticket in the index. `texts`, `notes` and `fields` are stems in the order of the words, with
    a blank before and after each.
    """

    tokens: Sequence[str]
    texts: str
    notes: str
    fields: str
    names: str
    note_names: str


class _Collector:
    """Collects tokens within the bound."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        self._bytes = 0

    def add(self, token: str) -> None:
        if token in self.found or self._bytes >= tokens_bytes_max:
            return
        self.found[token] = None
        self._bytes += len(token.encode()) + _bytes_of_a_lexeme

    def text(self, found: Iterable[Word], namespace: str) -> str:
        """Add the tokens of a text; return its stems as they stand in a document."""
        stems: list[str] = []
        for word in found:
            for stem in word.stems:
                self.add(namespace + stem)
                stems.append(namespace + stem if namespace != NOTE else stem)
            if not word.unspaced and word.stems[0] != word.plain:
                self.add(namespace + PLAIN + word.plain)
        return f" {' '.join(stems)} " if stems else ""

    def names(self, found: Sequence[str], namespace: str) -> str:
        for one in found:
            for trigram in identifiers.trigrams(one):
                self.add(namespace + trigram)
        return identifiers.joined(found)


def document(source: Source) -> Document:
    """Return the document of a ticket."""
    collected = _Collector()
    collected.add(f"{NUMBER}{source.number}")
    for one in source.types:
        collected.add(TYPE + one)
    title = list(words(folded(source.title)))
    for word in title:
        for stem in word.stems:
            collected.add(TITLE + stem)
    # Identifiers first: they are few, and the bound cuts the end.
    public = identifiers.stored((str(source.number), *source.public.identifiers))
    names = collected.names(public, "")
    hidden = identifiers.stored(source.notes.identifiers)
    note_names = collected.names(hidden, NOTE)
    fields = _GAP.join(
        collected.text(words(folded(text)), of_field(name)) for name, texts in source.fields.items() for text in texts
    )
    texts = [collected.text(title, "")]
    texts += [collected.text(words(folded(text)), "") for text in (*public, *source.public.texts)]
    notes = [collected.text(words(folded(text)), NOTE) for text in (*hidden, *source.notes.texts)]
    return Document(
        tokens=list(collected.found),
        texts=_GAP.join(filter(None, texts)),
        notes=_GAP.join(filter(None, notes)),
        fields=fields,
        names=names,
        note_names=note_names,
    )
