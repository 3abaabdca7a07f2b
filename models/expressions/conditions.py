"""Guards and conditions: CEL (Common Expression Language, https://cel.dev) over the view of a ticket.

The library is loaded at the first evaluation, not at import: most requests never need it, and its package brings a
terminal front that costs 120 ms. What it cannot tell (positions, types, cost, which part failed) comes from
`expressions`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from models.kernel import imports, limits
from models.kernel.open_json import JsonObject

expression_chars_max = 2_000  # a condition that a person can read
value_chars_max = 200  # of a text in an explanation: enough to recognise it
error_chars_max = 300  # of an error in an explanation: the library's longest first sentence has some 150
field_chars_max = 65_536  # of a value that an expression gives to a field, as JSON: twice the longest text field
_ADVICE = re.compile(r"(?<=\w)[.:]? (?=CEL does not|Check |The value is)")  # to programmers, after the error itself
_FIELDS = ("fields.", "ticket.fields.")
# What the library and Python raise at evaluation: wrong types, missing names, overflow, division by zero, indices,
# exhausted memory.
_RAISED = (ValueError, TypeError, RuntimeError, LookupError, ArithmeticError, AttributeError, MemoryError)


class ConditionError(Exception):
    """The condition cannot be evaluated over this view."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a condition and its reasons. `failed`: the parts between && that are not true; `values`: the paths
    that it read.
    """

    result: bool | None
    error: str | None
    failed: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A view made ready for many conditions: `names` is the whole view, `context` holds the values that they read."""

    names: Mapping[str, Any]
    context: Any


Reads = frozenset[tuple[str, str]]


def prepare(names: Mapping[str, Any], read: Reads | None = None) -> Prepared:
    """Hand the view to the library once. A value that the library cannot read (a lone surrogate, a key that is no text)
    is replaced.

    `read`: the values that the conditions read (`reads`); None: all. The library copies each value, which takes 2 us,
    and a condition reads two or three of some seventy.
    """
    imports.load("cel")
    import cel  # 120 ms, and most requests never evaluate

    variables = dict(names) if read is None else _cut(names, read)
    try:
        return Prepared(names, cel.Context(variables=variables))
    except _RAISED:
        return Prepared(names, cel.Context(variables={name: _readable(value) for name, value in variables.items()}))


def reads(expression: str) -> Reads | None:
    """Return the names that an expression reads, each with the member that it reads ("" for the whole value).

    Returns None for a text that is no expression of ours.
    """
    return _parts(expression)[2]


def _cut(names: Mapping[str, Any], read: Reads) -> JsonObject:
    """Return only the values that are read. A member that the view does not have keeps its whole value."""
    found: JsonObject = {}
    whole = {name for name, member in read if not _is_member(names.get(name), member)}
    for name, member in read:
        if name in whole:
            if name in names:
                found[name] = names[name]
        else:
            found.setdefault(name, {})[member] = names[name][member]
    return found


def _is_member(value: Any, member: str) -> bool:
    return bool(member) and isinstance(value, Mapping) and member in value


def _readable(value: Any, depth: int = 0) -> Any:
    """Return a value of the view in the types that the library has. Deep nesting ends in null."""
    if isinstance(value, bool | float | datetime | timedelta | None):
        return value
    if isinstance(value, int):
        if abs(value) < 2**63:
            return value
        # CEL reads numbers of JSON as doubles (CEL specification, "JSON Data Conversion"); beyond a double there is
        # infinity.
        return float(value) if abs(value) < 2**1000 else math.inf if value > 0 else -math.inf
    if depth > limits.json_depth_max:
        return None
    if isinstance(value, Mapping):
        return {_text(key): _readable(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(one, depth + 1) for one in value]
    return _text(value)


def _text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


@lru_cache(maxsize=2048)
def compiled(expression: str) -> Any:
    """Return the library's program of an expression. Raises ConditionError."""
    imports.load("cel", "models.expressions.semantics")
    import cel  # see prepare

    from models.expressions import semantics  # the front is for what is not compiled yet

    try:
        return cel.compile(semantics.rewritten(expression))
    except _RAISED as error:
        raise ConditionError(_one_line(error)) from error


def value(expression: str, view: Mapping[str, Any] | Prepared) -> Any:
    """Evaluate an expression. Raises only ConditionError, when it cannot be evaluated over this view."""
    prepared = view if isinstance(view, Prepared) else prepare(view)
    try:
        return compiled(expression).execute(prepared.context)
    except _RAISED as error:
        raise ConditionError(_one_line(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # PyO3 derives it from BaseException and exports no name
            raise
        raise ConditionError("the evaluation failed inside the library") from error


def json_value(expression: str, view: Mapping[str, Any] | Prepared) -> Any:
    """Evaluate an expression whose value a field is to keep. Raises ConditionError also for what JSON has not, or what
    is too large.
    """
    found = _as_field(value(expression, view))
    chars = len(json.dumps(found, ensure_ascii=False))
    if chars > field_chars_max:
        raise ConditionError(f"expected a value of at most {field_chars_max} characters, found {chars}")
    return found


def _as_field(found: Any, depth: int = 0) -> Any:
    if depth > limits.json_depth_max:
        raise ConditionError(f"expected at most {limits.json_depth_max} levels of lists and maps")
    match found:
        case None | bool() | int() | str():
            return found
        case float():
            if not math.isfinite(found):
                raise ConditionError(f"expected a number, found {found}")
            return found
        case datetime():
            return found.isoformat()
        case list() | tuple():
            return [_as_field(one, depth + 1) for one in found]
        case Mapping():
            return {str(key): _as_field(one, depth + 1) for key, one in found.items()}
    kind = {"timedelta": "duration"}.get(type(found).__name__, type(found).__name__)
    raise ConditionError(f"expected a text, a number, true, false, null, a timestamp, a list or a map, found a {kind}")


def _one_line(error: BaseException) -> str:
    """Return the library's error in one line for the people who read `why`; its advice after the first sentence is for
    programmers.
    """
    if isinstance(error, KeyError) and error.args:
        return f"there is no {error.args[0]}"
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, IndexError):
        return f"the list has no such item ({error})"
    if isinstance(error, MemoryError | RecursionError):
        return "the evaluation needs too much memory"
    text = _ADVICE.split(" ".join(str(error).split()), 1)[0] or type(error).__name__
    return text if len(text) <= error_chars_max else text[: error_chars_max - 1] + "…"


def holds(expression: str, view: Mapping[str, Any] | Prepared) -> bool:
    """Return True if the condition is true. Raises ConditionError when it is neither true nor false (a missing name, a
    wrong type).
    """
    result = value(expression, view)
    if not isinstance(result, bool):
        raise ConditionError(f"expected true or false, found {type(result).__name__}")
    return result


def explain(expression: str, view: Mapping[str, Any] | Prepared) -> Explanation:
    """Return the result of the condition, its false parts, and the values that it read."""
    prepared = view if isinstance(view, Prepared) else prepare(view)
    seen = values_read(expression, prepared.names)
    try:
        if holds(expression, prepared):
            return Explanation(True, None, (), seen)
    except ConditionError as error:
        missing = isinstance(error.__cause__, KeyError)
        empty = [] if missing else [path for path, one in seen.items() if one is None and path.startswith(_FIELDS)]
        told = f"{error} ({', '.join(empty)} has no value)" if empty else str(error)
        return Explanation(None, told, _failed(expression, prepared), seen)
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
def _parts(expression: str) -> tuple[tuple[str, ...], tuple[str, ...], Reads | None]:
    """Return the parts between &&, the paths that an expression reads, and their first two names (see `reads`)."""
    imports.load("models.expressions.parts")
    from models.expressions import parts  # the front is for explanations, which few requests ask for

    paths = tuple(parts.reads(expression))
    names = frozenset((path.split(".")[0], path.split(".")[1] if "." in path else "") for path in paths)
    return tuple(parts.conjuncts(expression)), paths, names if parts.is_expression(expression) else None


def values_read(expression: str, names: Mapping[str, Any]) -> JsonObject:
    """Path -> value, bounded, of everything that an expression reads."""
    found = {}
    for path in _parts(expression)[1]:
        at: Any = names
        for key in path.split("."):
            at = at.get(key) if isinstance(at, Mapping) else None
        found[path] = _plain(at)
    return found


def in_words(values: Mapping[str, Any]) -> str:
    """Return the values that a condition saw, to append to a sentence."""
    told = ", ".join(f"{path} is {value!r}" for path, value in values.items())
    return f" ({told})" if told else ""


def _plain(seen: Any, depth: int = 0) -> Any:
    """Return a value as JSON, bounded."""
    if isinstance(seen, datetime):
        return seen.isoformat()
    if isinstance(seen, str):
        return seen if len(seen) <= value_chars_max else seen[: value_chars_max - 1] + "…"
    if isinstance(seen, bool | int | float | None):
        return seen
    if depth > limits.json_depth_max:
        return "…"
    if isinstance(seen, list | tuple):
        return [_plain(one, depth + 1) for one in seen[:20]]
    if isinstance(seen, Mapping):
        return {str(key): _plain(one, depth + 1) for key, one in list(seen.items())[:20]}
    return _plain(str(seen))
