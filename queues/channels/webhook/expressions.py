"""What an account's expressions give for an event: a path, a text with places, a constant, or the first of several."""

from __future__ import annotations

from typing import Any

import msgspec

from queues.channels.webhook import paths, texts
from queues.channels.webhook.account import Account, Condition, Conditions, Expression, Rule


def value(expression: Expression, document: Any) -> Any:
    """The value with its type; of a list of expressions the first that gives something; None when none does."""
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
    """The value as text; empty for nothing."""
    return texts.as_text(value(expression, document))


def each(path: str, document: Any) -> list[Any]:
    """All values at a path."""
    return paths.every(paths.read(path), document)


def holds(conditions: Conditions, document: Any) -> bool:
    """Whether all conditions hold; each looks at the first value at its path."""
    return all(_holds(condition, paths.every(paths.read(path), document)) for path, condition in conditions.items())


def _holds(condition: Any, found: list[Any]) -> bool:
    first = found[0] if found else None
    if not isinstance(condition, Condition):
        return bool(found) and _same(first, condition)
    if condition.exists is not msgspec.UNSET and condition.exists is not (first is not None):
        return False
    if condition.equals is not msgspec.UNSET and not (found and _same(first, condition.equals)):
        return False
    return condition.isin is msgspec.UNSET or (bool(found) and any(_same(first, one) for one in condition.isin))


def _same(found: Any, wanted: Any) -> bool:
    """Equal, and true is not 1."""
    return (type(found) is type(wanted) and bool(found == wanted)) or _numbers(found, wanted)


def _numbers(found: Any, wanted: Any) -> bool:
    plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (found, wanted))
    return plain and bool(found == wanted)


def rule_of(config: Account, document: Any) -> Rule | None:
    """The first rule that matches, or None."""
    return next((rule for rule in config.events if holds(rule.when, document)), None)
