"""The guards of the port types: each type cleans its own texts when it is constructed.

A field's annotation names its guard: `Annotated[str, OneLine(200)]`. A bare `str` field is refused, so that no new
field is forgotten. Without this, one adapter that forgets to clean a display name fails at the INSERT, long after the
event was accepted.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from models.kernel import limits
from models.kernel.text import clean, cut, identifier, one_line, storable

_Guard = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class OneLine:
    """A name or a reason: one line without control characters."""

    chars_max: int

    def guarded(self, text: str) -> str:
        return one_line(text, self.chars_max)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An id or address: unchanged unless it cannot be stored or is too long; different ids stay different."""

    chars_max: int

    def guarded(self, text: str) -> str:
        return identifier(text, self.chars_max)


@dataclass(frozen=True, slots=True)
class Lines:
    """Text of many lines; a longer one is cut with a note."""

    chars_max: int

    def guarded(self, text: str) -> str:
        return cut(clean(text), self.chars_max)


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML. Cut HTML is broken HTML, so a longer one is dropped: the text of the message remains."""

    chars_max: int

    def guarded(self, text: str) -> str:
        cleaned = clean(text)
        return cleaned if len(cleaned) <= self.chars_max else ""


Name = Annotated[str, OneLine(limits.name_chars_max)]
Reason = Annotated[str, OneLine(limits.inbox_reason_chars_max)]
Id = Annotated[str, Identifier(limits.port_id_chars_max)]
Key = Annotated[str, Identifier(limits.event_key_chars_max)]
Locale = Annotated[str, OneLine(limits.locale_chars_max)]


class Guarded:
    """Base of the port types: guards the fields in `__post_init__`, also of a copy that `dataclasses.replace` makes."""

    __slots__ = ()

    def __post_init__(self) -> None:
        cls = type(self)
        guards = _GUARDS.get(cls)
        if guards is None:
            guards = _GUARDS[cls] = guards_of(cls)
        for name, guard in guards:
            value = getattr(self, name)
            kept = guard(value)
            if kept is not value:
                object.__setattr__(self, name, kept)


_GUARDS: dict[type, tuple[tuple[str, _Guard], ...]] = {}


def guards_of(cls: type) -> tuple[tuple[str, _Guard], ...]:
    """Return the guards of a class's fields, in their order. Raises TypeError for a text without a guard."""
    found = []
    for name, annotation in get_type_hints(cls, include_extras=True).items():
        try:
            guard = _guard(annotation)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}.{name}: {error}") from None
        if guard is not None:
            found.append((name, guard))
    return tuple(found)


def _guard(annotation: Any) -> _Guard | None:
    """Return the guard of one annotation; None where it holds no text."""
    if annotation is str:
        raise TypeError("a text of a port type needs a guard: Annotated[str, OneLine(...)]")
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return typing.cast(_Guard, arguments[1].guarded)
    if origin is Literal or origin is None:
        return None
    if origin in (Union, types.UnionType):
        return _of_union([one for one in arguments if one is not type(None)])
    if origin is tuple:
        return _of_tuple(arguments)
    if issubclass(origin, Mapping):
        return _of_mapping(arguments[1])
    raise TypeError(f"no guard for {annotation}")


def _of_mapping(values: Any) -> _Guard:
    """Guard a mapping of texts that have a guard, or JSON."""
    each = _guard(values) if get_origin(values) is Annotated else None
    return storable if each is None else lambda value: {clean(key): each(one) for key, one in value.items()}


def _of_union(arguments: list[Any]) -> _Guard | None:
    """Guard an optional value: a text that the guard empties becomes missing; an empty one stays empty."""
    guards = [guard for one in arguments if (guard := _guard(one)) is not None]
    if not guards:
        return None
    if len(arguments) > 1:
        raise TypeError("a union of texts and other types has no guard")
    guard = guards[0]

    def optional(value: Any) -> Any:
        if not value:
            return value
        kept = guard(value)
        return None if kept == "" else kept

    return optional


def _of_tuple(arguments: tuple[Any, ...]) -> _Guard | None:
    """Guard a tuple of any length (`tuple[X, ...]`) or of fixed members."""
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = _guard(arguments[0])
        return None if each is None else lambda value: tuple(map(each, value))
    guards = [_guard(one) for one in arguments]
    if not any(guards):
        return None
    return lambda value: tuple(one if guard is None else guard(one) for guard, one in zip(guards, value, strict=True))
