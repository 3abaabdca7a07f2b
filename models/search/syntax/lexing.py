"""Split a query into words, phrases, operators and signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Sign(Enum):
    """A sign of the syntax."""

    opening = auto()
    closing = auto()
    either = auto()
    negation = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or a quoted phrase."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class OperatorPiece:
    """An operator as it was written. `at` is its position in the query, for the error."""

    name: str
    values: tuple[str, ...]
    at: int


Token = Sign | Piece | OperatorPiece

# Typographic quotation marks that keyboards of phones put in place of the straight one.
_QUOTES: Final = '"\u201c\u201d\u201e\u00ab\u00bb'
_BLANKS: Final = re.compile(r"\s+")
_EITHER: Final = re.compile(r"(?:OR|\|\|?)(?=\s|$)")
_BOTH: Final = re.compile(r"(?:AND|&&?)(?=\s|$)")
_NOT: Final = re.compile(r"NOT(?=\s)|-(?=[^\s])")
# A name and a value. `https://`, `10:30` and a colon before a blank are text.
_OPERATOR: Final = re.compile(r"([A-Za-z][A-Za-z_]*(?:\.\w+)?):(?=[^\s/)])")
_QUOTED: Final = re.compile(f"[{_QUOTES}]([^{_QUOTES}]*)(?:[{_QUOTES}]|$)")
_VALUE: Final = re.compile(f"[^\\s,(){_QUOTES}]+")
_WORD: Final = re.compile(f"[^\\s(){_QUOTES}]+")


def tokens(query: str) -> Iterator[Token]:
    """Yield the tokens of a query."""
    at = 0
    while at < len(query):
        if found := _BLANKS.match(query, at) or _BOTH.match(query, at):
            at = found.end()
        elif query[at] in "()":
            yield Sign.opening if query[at] == "(" else Sign.closing
            at += 1
        elif found := _EITHER.match(query, at):
            yield Sign.either
            at = found.end()
        elif found := _NOT.match(query, at):
            yield Sign.negation
            at = found.end()
        elif found := _OPERATOR.match(query, at):
            values, end = _values(query, found.end())
            yield OperatorPiece(found[1].lower(), values, at)
            at = end
        elif found := _QUOTED.match(query, at):
            yield Piece(found[1], quoted=True)
            at = found.end()
        elif found := _WORD.match(query, at):
            yield Piece(found[0])
            at = found.end()
        else:
            at += 1


def _values(query: str, at: int) -> tuple[tuple[str, ...], int]:
    """The values from a position on, and the position after them."""
    values: list[str] = []
    while at < len(query):
        if found := _QUOTED.match(query, at):
            values.append(found[1].strip())
        elif found := _VALUE.match(query, at):
            values.append(found[0])
        elif query[at] != ",":
            break
        else:
            at += 1
            continue
        at = found.end()
    return tuple(value for value in values if value), at
