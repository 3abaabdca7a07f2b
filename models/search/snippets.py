"""Snippets: the place of a ticket where a query matches, as the text is, with the marked words.

The marks are positions and not HTML, so a reader cannot take words of a customer for markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

from models.kernel.storage import database
from models.search.index import reading
from models.search.scope import Scope
from models.search.syntax.tree import Text
from models.search.tables import SearchDocument
from models.search.text import identifiers, words
from models.search.text.folding import folded
from models.tickets.tables import Ticket

snippets_max = 2  # of a ticket; two lines of a list
snippet_chars: Final = 160  # one line of a wide list
_before_chars = 40  # of the snippet stand before the first mark
messages_max = 30  # of a ticket: the first and the newest; a snippet is a hint, and not a second search
message_chars_max = 8_000  # of each of them
_marks_max = 20  # of a snippet

Place = Literal["title", "message", "note", "identifier"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text. `marks`: the beginning and the end of each matching word. `message_id` is None outside of
    messages. An identifier is an address, a number, a message id or the name of a file.
    """

    place: Place
    text: str
    marks: Sequence[tuple[int, int]]
    message_id: UUID | None = None


def of_tickets(tickets: Sequence[Ticket], texts: Sequence[Text], scope: Scope) -> dict[UUID, list[Snippet]]:
    """Return the snippets of tickets for the words and phrases of a query, the best ones first."""
    if not texts or not tickets:
        return {ticket.id: [] for ticket in tickets}
    ids = [ticket.id for ticket in tickets]
    messages = reading.messages_of(ids, newest=messages_max, chars=message_chars_max)
    found: dict[UUID, list[_Candidate]] = {ticket.id: [] for ticket in tickets}
    for ticket in tickets:
        found[ticket.id].append(_Candidate("title", ticket.title))
    for row in messages:
        is_note = row["kind"] == "note"
        if scope.notes or not is_note:
            found[row["ticket_id"]].append(_Candidate("note" if is_note else "message", row["body"], row["id"]))
    best = {ticket_id: _best(candidates, texts) for ticket_id, candidates in found.items()}
    if without := [ticket_id for ticket_id, snippets in best.items() if not snippets]:
        best |= _of_identifiers(without, texts, scope)
    return best


@dataclass(frozen=True, slots=True)
class _Candidate:
    place: Place
    text: str
    message_id: UUID | None = None


def _best(candidates: Iterable[_Candidate], texts: Sequence[Text]) -> list[Snippet]:
    """The texts with the most different terms of the query, the earlier ones first."""
    ranked: list[tuple[int, int, Snippet]] = []
    for number, one in enumerate(candidates):
        marks, terms = _marks(one.text, texts)
        if marks:
            ranked.append((-terms, number, _cut(one, marks)))
    return [snippet for _, _, snippet in sorted(ranked, key=lambda row: row[:2])[:snippets_max]]


def _marks(text: str, texts: Sequence[Text]) -> tuple[list[tuple[int, int]], int]:
    """The matching words of a text, and the number of terms that they match."""
    marks: list[tuple[int, int]] = []
    terms: set[int] = set()
    for found in words.pattern().finditer(text):
        plains, stems = _of_word(found[0])
        matching = {number for number, one in enumerate(texts) if _matches(one, plains, stems)}
        if matching:
            terms |= matching
            if len(marks) < _marks_max:
                marks.append(found.span())
    return marks, len(terms)


@lru_cache(maxsize=16_384)
def _of_word(word: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The plain forms and the stems of a word of a text."""
    found = list(words.words(folded(word)))
    return tuple(one.plain for one in found), frozenset(stem for one in found for stem in one.stems)


def _matches(text: Text, plains: Sequence[str], stems: frozenset[str]) -> bool:
    if not stems.isdisjoint(text.stems):
        return True
    return text.beginning is not None and any(plain.startswith(text.beginning) for plain in plains)


def _cut(one: _Candidate, marks: Sequence[tuple[int, int]]) -> Snippet:
    """The part of a text around the first mark; it begins and ends at a blank where it can."""
    start = max(0, marks[0][0] - _before_chars)
    if start > 0 and (blank := one.text.find(" ", start, marks[0][0])) >= 0:
        start = blank + 1
    end = min(len(one.text), max(start + snippet_chars, marks[0][1]))
    if end < len(one.text) and (blank := one.text.rfind(" ", marks[0][1], end)) >= 0:
        end = blank
    inside = [(begin - start, stop - start) for begin, stop in marks if stop <= end]
    return Snippet(one.place, one.text[start:end], inside, one.message_id)


def _of_identifiers(ticket_ids: Sequence[UUID], texts: Sequence[Text], scope: Scope) -> dict[UUID, list[Snippet]]:
    columns = (SearchDocument.ticket_id, SearchDocument.names, SearchDocument.note_names)
    rows = database.rows(SearchDocument.select(*columns).where(SearchDocument.ticket_id.in_(ticket_ids)))
    found: dict[UUID, list[Snippet]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in rows:
        names = row["names"].split(identifiers.SEPARATOR)
        if scope.notes:
            names += row["note_names"].split(identifiers.SEPARATOR)
        for name in names:
            part = next((one.part for one in texts if one.part is not None and one.part in name), None)
            if part is not None and len(found[row["ticket_id"]]) < snippets_max:
                at = name.index(part)
                found[row["ticket_id"]].append(Snippet("identifier", name, [(at, at + len(part))]))
    return found
