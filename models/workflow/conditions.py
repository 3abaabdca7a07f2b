"""Guards and conditions: CEL (Common Expression Language, https://cel.dev) over the view of a ticket.

The library is loaded at the first evaluation, not at import: most requests never need it, and its package brings a terminal
front that costs 120 ms. What it cannot tell (positions, types, cost, which part failed) comes from `expressions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

expression_chars_max = 2_000  # a condition that a person can read
value_chars_max = 200  # of a text in an explanation: enough to recognise it


class ConditionError(Exception):
    """The condition cannot be evaluated over this view."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a condition said and why. `failed`: the parts between && that are not true; `values`: what it read."""

    result: bool | None
    error: str | None
    failed: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A view made ready for many conditions."""

    names: Mapping[str, Any]
    context: Any


def prepare(names: Mapping[str, Any]) -> Prepared:
    """Hand the view to the library once."""
    import cel

    return Prepared(names, cel.Context(variables=dict(names)))


@lru_cache(maxsize=2048)
def _program(expression: str) -> Any:
    import cel

    return cel.compile(expression)


def problem(expression: str) -> str | None:
    """What is wrong with the text of a condition, or None."""
    if len(expression) > expression_chars_max:
        return f"expected at most {expression_chars_max} characters, found {len(expression)}"
    from models.workflow.expressions import checker
    from models.workflow.view import ENVIRONMENT

    found = checker.check(expression, ENVIRONMENT)
    if found:
        return "; ".join(f"at character {one.offset + 1}: {one.message}" for one in found)
    try:
        _program(expression)
    except ValueError as error:
        return str(error)
    return None


def value(expression: str, view: Mapping[str, Any] | Prepared) -> Any:
    """What an expression gives. Raises ConditionError when it cannot be evaluated over this view."""
    prepared = view if isinstance(view, Prepared) else prepare(view)
    try:
        return _program(expression).execute(prepared.context)
    except (ValueError, TypeError, RuntimeError, KeyError) as error:
        raise ConditionError(_told(error)) from error


def _told(error: Exception) -> str:
    return f"there is no {error.args[0]}" if isinstance(error, KeyError) and error.args else str(error)


def holds(expression: str, view: Mapping[str, Any] | Prepared) -> bool:
    """Whether the condition is true. Raises ConditionError when it is neither true nor false (a missing name, a wrong type)."""
    result = value(expression, view)
    if not isinstance(result, bool):
        raise ConditionError(f"expected true or false, found {type(result).__name__}")
    return result


def explain(expression: str, view: Mapping[str, Any] | Prepared) -> Explanation:
    """Whether the condition is true, which of its parts are not, and the values that it read."""
    prepared = view if isinstance(view, Prepared) else prepare(view)
    seen = _values(expression, prepared.names)
    try:
        if holds(expression, prepared):
            return Explanation(True, None, (), seen)
    except ConditionError as error:
        return Explanation(None, str(error), _failed(expression, prepared), seen)
    return Explanation(False, None, _failed(expression, prepared), seen)


def _failed(expression: str, prepared: Prepared) -> tuple[str, ...]:
    failed = []
    for part in _parts(expression)[0]:
        try:
            if not holds(part, prepared):
                failed.append(part)
        except ConditionError:
            failed.append(part)
    return tuple(failed)


@lru_cache(maxsize=2048)
def _parts(expression: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parts between && and the paths that an expression reads."""
    from models.workflow.expressions import parts

    return tuple(parts.conjuncts(expression)), tuple(parts.reads(expression))


def _values(expression: str, names: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for path in _parts(expression)[1]:
        at: Any = names
        for key in path.split("."):
            at = at.get(key) if isinstance(at, Mapping) else None
        found[path] = _plain(at)
    return found


def _plain(seen: Any) -> Any:
    """A value as JSON, bounded."""
    if isinstance(seen, datetime):
        return seen.isoformat()
    if isinstance(seen, str):
        return seen if len(seen) <= value_chars_max else seen[: value_chars_max - 1] + "…"
    if isinstance(seen, list | tuple):
        return [_plain(one) for one in seen[:20]]
    if isinstance(seen, Mapping):
        return {str(key): _plain(one) for key, one in list(seen.items())[:20]}
    return seen
