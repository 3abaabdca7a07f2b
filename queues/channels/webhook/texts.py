"""Texts with places: `Alert {{ $.title|without a title }}`. Places are filled in; nothing is ever run.

A place holds a path, or the name of one of a few values, and after `|` the text to use when there is nothing. A text that is one
place alone keeps the value's type; in an answer's body every value is encoded as JSON afterwards, never pasted into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from queues.channels.webhook import limits, paths

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
Lookup = Callable[[str], Any]


class BadText(ValueError):
    """The text has a place that cannot be filled in; the message says which."""


@dataclass(frozen=True, slots=True)
class Place:
    """`source`: a path or a name; `default`: the text when nothing is there, None without one."""

    source: str
    default: str | None


@lru_cache(maxsize=1024)
def read(text: str) -> tuple[str | Place, ...]:
    """The text's parts. Raises BadText for a broken place or path."""
    if len(text) > limits.template_chars_max:
        raise BadText(f"expected at most {limits.template_chars_max} characters")
    parts: list[str | Place] = []
    at = 0
    for found in _PLACE.finditer(text):
        if found.start() > at:
            parts.append(text[at : found.start()])
        source, bar, default = found[1].partition("|")
        source = source.strip()
        if source.startswith("$"):
            try:
                paths.read(source)
            except paths.BadPath as error:
                raise BadText(f"{found[0]}: {error}") from error
        elif _NAME.fullmatch(source) is None:
            raise BadText(f"{found[0]}: expected a path ($.a.b) or a name")
        parts.append(Place(source, default.strip() if bar else None))
        at = found.end()
    if at < len(text):
        parts.append(text[at:])
    if any(isinstance(part, str) and ("{{" in part or "}}" in part) for part in parts):
        raise BadText("a place is not closed: expected {{ path }} or {{ path|default }}")
    if sum(isinstance(part, Place) for part in parts) > limits.places_max:
        raise BadText(f"expected at most {limits.places_max} places")
    return tuple(parts)


def names(text: str) -> set[str]:
    """What the places of a text ask for, paths too."""
    return {part.source for part in read(text) if isinstance(part, Place)}


def in_event(document: Any) -> Lookup:
    """Look a path up in an event; names mean nothing there."""
    return lambda source: paths.first(paths.read(source), document) if source.startswith("$") else None


def in_values(values: Mapping[str, Any]) -> Lookup:
    """Look a name up among an answer's values."""
    return values.get


def fill(text: str, lookup: Lookup, encode: Callable[[str], str] = str) -> str:
    """The text with its places filled in, each value through `encode`."""
    filled = []
    for part in read(text):
        filled.append(part if isinstance(part, str) else encode(as_text(_value(part, lookup))))
    return "".join(filled)


def value(text: str, lookup: Lookup) -> Any:
    """What a text of an answer's body stands for: one place alone gives the value itself, else a text."""
    parts = read(text)
    if len(parts) == 1 and isinstance(parts[0], Place):
        return _value(parts[0], lookup)
    return fill(text, lookup)


def filled(body: Any, lookup: Lookup) -> Any:
    """An answer's body with every text filled in; keys stay as they are written."""
    if isinstance(body, str):
        return value(body, lookup)
    if isinstance(body, dict):
        return {key: filled(one, lookup) for key, one in body.items()}
    return [filled(one, lookup) for one in body] if isinstance(body, list) else body


def as_text(found: Any) -> str:
    """A value in a text: texts as they are, nothing as nothing, everything else as JSON writes it."""
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _value(place: Place, lookup: Lookup) -> Any:
    found = lookup(place.source)
    if place.default is not None and found in (None, "", [], {}):
        return place.default
    return found
