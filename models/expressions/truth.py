"""Decides whether a condition is always or never true, given the values that its paths can have.

The condition becomes alternatives of facts (disjunctive normal form, bounded); an alternative is impossible when two
facts about one path exclude each other. A part that this module does not understand stays an open fact: the answer is
then "undecidable", never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.expressions.parser import ExpressionError, parse
from models.expressions.tree import Binary, Call, ListOf, Literal, Node, Unary, path_of

# A condition with more alternatives is one that nobody reads; then the answer is "undecidable".
alternatives_max = 512


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers that a path can be, both ends included."""

    low: float = -math.inf
    high: float = math.inf


Domains = Mapping[str, Sequence[Any] | Bounds]
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Fact:
    """`path operator value`, or (operator "holds") an open fact known by its text."""

    path: str
    operator: str
    value: Any


class _TooMany(Exception):
    """More than `alternatives_max` alternatives."""


def truth(source: str, domains: Domains) -> bool | None:
    """Return True for always, False for never, None for it depends or undecidable. `domains`: path -> every value that
    it can have, or the bounds of a number.
    """
    try:
        tree = parse(source)
    except ExpressionError:
        return None
    if not _possible(tree, True, domains, source):
        return False
    return True if not _possible(tree, False, domains, source) else None


def possible_together(sources: Sequence[tuple[str, bool]], domains: Domains) -> bool | None:
    """Return True if the conditions can have the given truth values at once; None when it is undecidable.

    False is certain. True needs an alternative without open facts.
    """
    try:
        combined: list[frozenset[Fact]] = [frozenset()]
        for source, wanted in sources:
            combined = _both(combined, _alternatives(parse(source), wanted, source))
    except (ExpressionError, _TooMany):
        return None
    left = [facts for facts in combined if _consistent(facts, domains)]
    if not left:
        return False
    return True if any(all(fact.operator != "holds" for fact in facts) for facts in left) else None


def _possible(tree: Node, wanted: bool, domains: Domains, source: str) -> bool:
    try:
        return any(_consistent(facts, domains) for facts in _alternatives(tree, wanted, source))
    except _TooMany:
        return True


def _both(left: list[frozenset[Fact]], right: list[frozenset[Fact]]) -> list[frozenset[Fact]]:
    if len(left) * len(right) > alternatives_max:
        raise _TooMany
    return [one | other for one in left for other in right]


def _alternatives(node: Node, wanted: bool, source: str) -> list[frozenset[Fact]]:
    """Return the sets of facts; one of them must hold for the node to be `wanted`."""
    if isinstance(node, Unary) and node.operator == "!":
        return _alternatives(node.operand, not wanted, source)
    if isinstance(node, Literal) and isinstance(node.value, bool):
        return [frozenset()] if node.value == wanted else []
    if isinstance(node, Binary) and node.operator in ("&&", "||"):
        left, right = _alternatives(node.left, wanted, source), _alternatives(node.right, wanted, source)
        if (node.operator == "&&") == wanted:
            return _both(left, right)
        if len(left) + len(right) > alternatives_max:
            raise _TooMany
        return [*left, *right]
    return _of_comparison(node, wanted, source)


def _of_comparison(node: Node, wanted: bool, source: str) -> list[frozenset[Fact]]:
    open_fact = [frozenset({Fact(" ".join(source[node.at : node.end].split()), "holds", wanted)})]
    path = path_of(node)
    if path is not None:
        return [frozenset({Fact(path, "==", wanted)})]
    if not isinstance(node, Binary):
        return open_fact
    if node.operator == "in" and isinstance(node.right, ListOf):
        return _of_list(node, node.right, wanted) or open_fact
    if node.operator not in _OPPOSITE:
        return open_fact
    found = _of_sides(_side(node.left), node.operator if wanted else _OPPOSITE[node.operator], _side(node.right))
    return open_fact if found is None else found


def _of_sides(left: _Const | str | None, operator: str, right: _Const | str | None) -> list[frozenset[Fact]] | None:
    """Return the alternatives of a comparison of paths and constants; None where it is neither."""
    if isinstance(left, _Const) and isinstance(right, _Const):
        return [frozenset()] if _compare(left.value, operator, right.value) else []
    if isinstance(left, str) and isinstance(right, _Const):
        return [frozenset({Fact(left, operator, right.value)})]
    if isinstance(right, str) and isinstance(left, _Const):
        return [frozenset({Fact(right, _MIRRORED[operator], left.value)})]
    return None


def _of_list(node: Binary, items: ListOf, wanted: bool) -> list[frozenset[Fact]] | None:
    path = path_of(node.left)
    values = [item.value for item in items.items if isinstance(item, Literal)]
    if path is None or len(values) != len(items.items):
        return None
    if wanted:
        return [frozenset({Fact(path, "==", value)}) for value in values]
    return [frozenset(Fact(path, "!=", value) for value in values)]


@dataclass(frozen=True, slots=True)
class _Const:
    value: Any


def _side(node: Node) -> _Const | str | None:
    if isinstance(node, Literal):
        return _Const(node.value)
    if isinstance(node, Unary) and node.operator == "-" and isinstance(node.operand, Literal):
        value = node.operand.value
        return _Const(-value) if isinstance(value, int | float) else None
    if isinstance(node, Call) and node.name == "size":
        of = _size_of(node)
        return f"size({of})" if of is not None else None
    return path_of(node)


def _size_of(node: Call) -> str | None:
    """Return the path whose size a call asks for."""
    if node.of is not None:
        return path_of(node.of)
    return path_of(node.arguments[0]) if node.arguments else None


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator == "==":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    try:
        return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator])
    except TypeError:
        return False


@dataclass(slots=True)
class _Known:
    """The values of one path that its facts leave."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    equal: list[Any] = field(default_factory=list)
    unequal: list[Any] = field(default_factory=list)


def _consistent(facts: frozenset[Fact], domains: Domains) -> bool:
    by_path: dict[str, list[Fact]] = {}
    for fact in facts:
        by_path.setdefault(fact.path, []).append(fact)
    return all(_fits(path, of_path, domains) for path, of_path in by_path.items())


def _fits(path: str, facts: list[Fact], domains: Domains) -> bool:
    if any(fact.operator == "holds" for fact in facts):
        return len({fact.value for fact in facts if fact.operator == "holds"}) == 1
    domain = domains.get(path)
    if domain is not None and not isinstance(domain, Bounds):
        return any(all(_compare(value, fact.operator, fact.value) for fact in facts) for value in domain)
    known = _Known(low=0 if path.startswith("size(") else -math.inf)
    if isinstance(domain, Bounds):
        known.low, known.high = domain.low, domain.high
    for fact in facts:
        _add(known, fact)
    booleans_only = all(isinstance(fact.value, bool) for fact in facts)
    return _equalities_fit(known, booleans_only=booleans_only) and _range_fits(known)


def _equalities_fit(known: _Known, *, booleans_only: bool) -> bool:
    """Return True if the values that the path equals and does not equal leave one."""
    if len(set(map(repr, known.equal))) > 1 or any(value in known.unequal for value in known.equal):
        return False
    return not (booleans_only and {True, False} <= set(known.unequal))


def _range_fits(known: _Known) -> bool:
    """Return True if a number is left in the range, and the values that the path equals are in it."""
    for value in known.equal:
        if isinstance(value, int | float) and not isinstance(value, bool) and not _in_range(known, value):
            return False
    return known.low < known.high or (known.low == known.high and not (known.low_open or known.high_open))


def _add(known: _Known, fact: Fact) -> None:
    if fact.operator == "==":
        known.equal.append(fact.value)
    elif fact.operator == "!=":
        known.unequal.append(fact.value)
    elif isinstance(fact.value, int | float):
        strict = fact.operator in ("<", ">")
        if fact.operator in (">", ">=") and (fact.value, strict) > (known.low, known.low_open):
            known.low, known.low_open = fact.value, strict
        elif fact.operator in ("<", "<=") and (-fact.value, strict) > (-known.high, known.high_open):
            known.high, known.high_open = fact.value, strict


def _in_range(known: _Known, value: float) -> bool:
    over = value > known.low or (value == known.low and not known.low_open)
    return over and (value < known.high or (value == known.high and not known.high_open))
