"""Guards and conditions: CEL (Common Expression Language, https://cel.dev) over the view of a ticket.

The library is loaded at the first evaluation, not at import: most requests never need it, and its package brings a terminal
front that costs 120 ms.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

expression_chars_max = 2_000  # a condition that a person can read


class ConditionError(Exception):
    """The condition cannot be evaluated over this view."""


@lru_cache(maxsize=1024)
def _program(expression: str) -> Any:
    import cel

    return cel.compile(expression)


def problem(expression: str) -> str | None:
    """What is wrong with the text of a condition, or None."""
    if len(expression) > expression_chars_max:
        return f"expected at most {expression_chars_max} characters, found {len(expression)}"
    try:
        _program(expression)
    except ValueError as error:
        return str(error)
    return None


def holds(expression: str, view: dict[str, Any]) -> bool:
    """Whether the condition is true. Raises ConditionError when it is neither true nor false (a missing name, a wrong type)."""
    try:
        result = _program(expression).execute(view)
    except (ValueError, TypeError, RuntimeError, KeyError) as error:
        raise ConditionError(str(error)) from error
    if not isinstance(result, bool):
        raise ConditionError(f"expected true or false, found {type(result).__name__}")
    return result
