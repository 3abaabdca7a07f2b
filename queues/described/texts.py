"""Texts with placeholders: `Alert {{ $.title|without a title }}`. Placeholders are filled in; no code runs.

A placeholder contains a path, or the name of one of a few values, and after `|` the default for an empty value. A text
that consists of one placeholder keeps the value's type. In an answer's body every value is encoded as JSON afterwards,
never pasted into JSON text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from queues.described import limits, paths

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
Lookup = Callable[[str], Any]


class BadText(ValueError):
    """The text has a placeholder that cannot be filled in; the message names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A placeholder. `source`: a path or a name; `default`: the text for an empty value, or None."""

    source: str
    default: str | None


@lru_cache(maxsize=1024)
def read(text: str) -> tuple[str | Place, ...]:
    """Split the text into constants and placeholders. Raises BadText for a broken placeholder or path."""
    if len(text) > limits.template_chars_max:
        raise BadText(f"expected at most {limits.template_chars_max} characters")
    parts: list[str | Place] = []
    at = 0
    for found in _PLACE.finditer(text):
        parts += [text[at : found.start()], _read_place(found)]
        at = found.end()
    parts.append(text[at:])
    _check(parts)
    return tuple(part for part in parts if part != "")


def _check(parts: list[str | Place]) -> None:
    """Raise BadText for an unclosed placeholder or too many of them."""
    constants = [part for part in parts if isinstance(part, str)]
    if any(brackets in constant for constant in constants for brackets in ("{{", "}}")):
        raise BadText("a placeholder is not closed: expected {{ path }} or {{ path|default }}")
    if len(parts) - len(constants) > limits.places_max:
        raise BadText(f"expected at most {limits.places_max} placeholders")


def _read_place(found: re.Match[str]) -> Place:
    source, bar, default = found[1].partition("|")
    source = source.strip()
    if source.startswith("$"):
        try:
            paths.read(source)
        except paths.BadPath as error:
            raise BadText(f"{found[0]}: {error}") from error
    elif _NAME.fullmatch(source) is None:
        raise BadText(f"{found[0]}: expected a path ($.a.b) or a name")
    return Place(source, default.strip() if bar else None)


def names(text: str) -> set[str]:
    """Return the names and paths in the placeholders of a text."""
    return {part.source for part in read(text) if isinstance(part, Place)}


def in_event(document: Any) -> Lookup:
    """Return a function that looks up a path in an event; it returns None for a name."""
    return lambda source: paths.first(paths.read(source), document) if source.startswith("$") else None


def in_values(values: Mapping[str, Any]) -> Lookup:
    """Return a function that looks up a name among an answer's values."""
    return values.get


def fill(text: str, lookup: Lookup, encode: Callable[[str], str] = str) -> str:
    """Fill in the placeholders, each value through `encode`."""
    filled = []
    for part in read(text):
        filled.append(part if isinstance(part, str) else encode(as_text(_value(part, lookup))))
    return "".join(filled)


def value(text: str, lookup: Lookup) -> Any:
    """Return the value of a text that consists of one placeholder; the filled-in text of another."""
    parts = read(text)
    if len(parts) == 1 and isinstance(parts[0], Place):
        return _value(parts[0], lookup)
    return fill(text, lookup)


def filled(body: Any, lookup: Lookup) -> Any:
    """Fill in every text of an answer's body; keys stay unchanged."""
    if isinstance(body, str):
        return value(body, lookup)
    if isinstance(body, dict):
        return {key: filled(one, lookup) for key, one in body.items()}
    return [filled(one, lookup) for one in body] if isinstance(body, list) else body


def as_text(found: Any) -> str:
    """Write a value inside a text: a text unchanged, None as nothing, everything else as JSON."""
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _value(place: Place, lookup: Lookup) -> Any:
    found = lookup(place.source)
    if place.default is not None and found in (None, "", [], {}):
        return place.default
    return found
