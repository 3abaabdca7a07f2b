"""Turn a decoded file into a Struct, and say exactly where it does not fit (msgspec says `[...]` for the keys of
mappings).
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

T = TypeVar("T", bound=msgspec.Struct)
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")


def convert(body: JsonObject, type_: type[T]) -> T:
    """Return the Struct. Raises Invalid with the path of the first thing that does not fit, and what was expected."""
    try:
        return msgspec.convert(body, type_)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        path = place.removeprefix("key` in `").rstrip("`").removeprefix("$")
        if "[...]" in path:
            path = _named(body, type_, path)
        raise Invalid([FieldProblem(path, _with_known_keys(message, type_))]) from error


def _named(body: JsonObject, type_: type[T], path: str) -> str:
    """Return the path with the keys of mappings: each entry is tried alone until one fails."""
    steps, at = path.split("[...]"), ""
    for before in steps[:-1]:
        at += before
        mapping = _at(body, at)
        if not isinstance(mapping, dict):
            return at
        culprit = next((key for key in mapping if _fails(body, type_, at, {key: mapping[key]})), None)
        if culprit is None:
            return at
        at += f".{culprit}"
    return at + steps[-1]


def _steps(path: str) -> list[str | int]:
    return [int(found[2]) if found[2] else found[1] for found in re.finditer(r"\.([^.\[\]]+)|\[(\d+)\]", path)]


def _at(body: Any, path: str) -> Any:
    for step in _steps(path):
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def _fails(body: JsonObject, type_: type[T], path: str, instead: JsonObject) -> bool:
    """Return True if the body with another mapping at `path` still fails below it."""
    try:
        msgspec.convert(_replaced(body, _steps(path), instead), type_)
    except msgspec.ValidationError as error:
        return path.split("[")[0] in str(error)
    return False


def _replaced(body: Any, steps: list[str | int], instead: Any) -> Any:
    if not steps:
        return instead
    first, *rest = steps
    if isinstance(body, list):
        return [_replaced(item, rest, instead) if index == first else item for index, item in enumerate(body)]
    return {key: _replaced(value, rest, instead) if key == first else value for key, value in body.items()}


def _with_known_keys(message: str, type_: type[T]) -> str:
    match = _UNKNOWN.match(message)
    if match is None:
        return message
    known = sorted(_keys(type_))
    close = get_close_matches(match[1], known, n=1)
    return message + (f"; did you mean `{close[0]}`?" if close else "")


def _keys(type_: type[msgspec.Struct]) -> set[str]:
    """Every key that a file of this type can have anywhere."""
    found: set[str] = set()
    schema = msgspec.json.schema(type_)
    for definition in schema.get("$defs", {}).values():
        found |= set(definition.get("properties", {}))
    return found
