"""Make a tree of a query's tokens.

Terms that follow each other must all match. OR binds two terms closer than that: `printer paper OR toner` means
`printer (paper OR toner)`. Parentheses group, `-` excludes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.kernel.errors import FieldProblem, Invalid
from models.search.syntax.lexing import OperatorPiece, Piece, Sign, Token, tokens
from models.search.syntax.tree import EVERYTHING, NOTHING, All, Any, Node, Not, Operator, Query, Text
from models.search.text import identifiers
from models.search.text.folding import folded
from models.search.text.words import Word, without_apostrophes, words

query_chars_max = 500  # a query with several operators has some 200
terms_max = 40  # words, phrases and operators; each is a look-up of the index
depth_max = 10  # of parentheses; nobody reads deeper ones
beginning_chars_min = 3  # of the last word: shorter beginnings are those of half of the words, and people type on
written_beginning_chars_min = 2  # with a star: somebody means it

Check = Callable[[OperatorPiece], Operator]


def parse(query: str, check: Check) -> Query:
    """Return the tree of a query; `check` turns an operator into its canonical form.

    Raises Invalid for a query beyond the bounds, and what `check` raises.
    """
    return _Parser(list(tokens(query)), check).query()


class _Parser:
    def __init__(self, found: list[Token], check: Check) -> None:
        self._tokens, self._check, self._at, self._depth, self._terms = found, check, 0, 0, 0
        self._ignored: list[str] = []

    def query(self) -> Query:
        node = self._all(top=True)
        if node == EVERYTHING and self._ignored:
            node = NOTHING
        return Query(node, tuple(self._ignored))

    def _all(self, *, top: bool = False) -> Node:
        """Terms up to the end or a closing parenthesis. One that closes nothing is skipped."""
        nodes: list[Node] = []
        while self._at < len(self._tokens):
            if self._tokens[self._at] is Sign.closing:
                if not top:
                    break
                self._at += 1
            elif (node := self._either()) is not None:
                nodes.append(node)
        return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

    def _either(self) -> Node | None:
        """One term, or several with OR between them."""
        nodes = [self._term()]
        while self._at < len(self._tokens) and self._tokens[self._at] is Sign.either:
            self._at += 1
            if self._at < len(self._tokens) and self._tokens[self._at] is not Sign.closing:
                nodes.append(self._term())
        found = tuple(dict.fromkeys(node for node in nodes if node is not None))
        return Any(found) if len(found) > 1 else found[0] if found else None

    def _term(self) -> Node | None:
        token = self._tokens[self._at]
        if token is Sign.either:  # without a left side
            return None
        self._at += 1
        if token is Sign.negation:
            if self._at == len(self._tokens) or self._tokens[self._at] in (Sign.closing, Sign.either):
                return None
            inner = self._deeper(self._term)
            return None if inner is None else inner.node if isinstance(inner, Not) else Not(inner)
        if token is Sign.opening:
            group = self._deeper(self._all)
            self._at += 1  # the closing one, or the end
            return None if group == EVERYTHING else group
        if isinstance(token, OperatorPiece):
            self._count()
            return self._check(token)
        assert isinstance(token, Piece), "a closing parenthesis ends the terms before it"
        return self._text(token)

    def _deeper(self, read: Callable[[], Node | None]) -> Node | None:
        self._depth += 1
        if self._depth > depth_max:
            raise Invalid([FieldProblem("?q", f"expected at most {depth_max} parentheses inside of each other")])
        node = read()
        self._depth -= 1
        return node

    def _count(self) -> None:
        self._terms += 1
        if self._terms > terms_max:
            raise Invalid([FieldProblem("?q", f"expected at most {terms_max} words, phrases and operators")])

    def _text(self, piece: Piece) -> Text | None:
        """The word or phrase of a piece; None for one without a letter or a digit."""
        text = folded(piece.text)
        found = list(words(text))
        if not found:
            if piece.text.strip():
                self._ignored.append(piece.text)
            return None
        self._count()
        starred = piece.text.endswith("*") and not piece.quoted
        last = not any(map(_has_words, self._tokens[self._at :])) and not self._is_negated()
        return Text(
            raw=piece.text,
            stems=_stems(found),
            beginning=None if piece.quoted else _beginning(found, starred=starred, last=last),
            part=_part(text, found),
            quoted=piece.quoted,
        )

    def _is_negated(self) -> bool:
        return self._at >= 2 and self._tokens[self._at - 2] is Sign.negation


def _has_words(token: Token) -> bool:
    return isinstance(token, OperatorPiece) or (
        isinstance(token, Piece) and next(words(folded(token.text)), None) is not None
    )


def _stems(found: list[Word]) -> tuple[str, ...]:
    """The stems in order. A run of an unspaced script at the end stands for its pairs: the text may go on."""
    *before, last = found
    ending = last.stems[:-1] if last.unspaced and len(last.stems) > 1 else last.stems
    return (*(stem for word in before for stem in word.stems), *ending)


def _beginning(found: list[Word], *, starred: bool, last: bool) -> str | None:
    if len(found) != 1:
        return None
    word = found[0]
    if word.unspaced:
        return word.plain if len(word.plain) == 1 else None
    if starred and len(word.plain) >= written_beginning_chars_min:
        return word.plain
    return word.plain if last and len(word.plain) >= beginning_chars_min else None


_EDGES: Final = "*?!.,;:\"'<>[]{}"


def _part(text: str, found: list[Word]) -> str | None:
    """The text as it may stand inside of an identifier."""
    part = text.strip(_EDGES)
    if any(word.unspaced for word in found) or any(sign.isspace() for sign in part):
        return None
    return part if identifiers.is_part(part) and without_apostrophes(part) else None
