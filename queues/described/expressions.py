"""The evaluation of a description's expressions for an event.

An expression is a path, a text with placeholders, a constant, or a list of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import msgspec

from queues.described import paths, texts
from queues.described.vocabulary import Condition, Conditions, Expression


def value(expression: Expression, document: Any) -> Any:
    """Return the value with its type; of a list of expressions the first value that is not empty, or None."""
    if isinstance(expression, list):
        for one in expression:
            found = value(one, document)
            if found not in (None, "", [], {}):
                return found
        return None
    if expression.startswith("$"):
        return paths.first(paths.read(expression), document)
    return texts.value(expression, texts.in_event(document))


def text(expression: Expression, document: Any) -> str:
    """Return the value as text; empty for None."""
    return texts.as_text(value(expression, document))


def each(path: str, document: Any) -> list[Any]:
    """Return all values at a path."""
    return paths.every(paths.read(path), document)


def holds(conditions: Conditions, document: Any) -> bool:
    """Return True if all conditions hold; each is about the first value at its path."""
    return all(_holds(condition, paths.every(paths.read(path), document)) for path, condition in conditions.items())


def _holds(condition: Any, found: list[Any]) -> bool:
    if not isinstance(condition, Condition):
        return _is_one_of(found, [condition])
    exists = bool(found) and found[0] is not None
    if condition.exists is not msgspec.UNSET and condition.exists is not exists:
        return False
    if condition.equals is not msgspec.UNSET and not _is_one_of(found, [condition.equals]):
        return False
    return condition.isin is msgspec.UNSET or _is_one_of(found, condition.isin)


def _is_one_of(found: list[Any], wanted: list[Any]) -> bool:
    return bool(found) and any(_same(found[0], one) for one in wanted)


def _same(found: Any, wanted: Any) -> bool:
    """Return True if two values are equal; true is not 1."""
    return (type(found) is type(wanted) and bool(found == wanted)) or _numbers(found, wanted)


def _numbers(found: Any, wanted: Any) -> bool:
    plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (found, wanted))
    return plain and bool(found == wanted)


class Conditional(Protocol):
    """A rule of a description."""

    @property
    def when(self) -> Conditions: ...


R = TypeVar("R", bound=Conditional)


def rule_of(rules: Iterable[R], document: Any) -> R | None:
    """Return the first rule that matches, or None."""
    return next((rule for rule in rules if holds(rule.when, document)), None)
