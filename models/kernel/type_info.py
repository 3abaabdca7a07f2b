"""Builds msgspec's type information in one thread, before other threads decode.

msgspec builds the type information of a Struct at its first decoding. Version 0.22.0 did that without a lock: a second
thread saw a Struct that was half built, and the process ended by SIGSEGV. Each process therefore builds all of it in
its main thread at start, and `imports.load` does so for the modules that are loaded later. It costs some 50
microseconds a type. Types that msgspec only encodes are left out (`only_encoded`): a third of a gateway's types.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakSet

import msgspec

_declared: list[type] = []
_only_encoded: set[type] = set()
_built: WeakSet[type] = WeakSet()


def declare(kind: type) -> None:
    """Add a type that is not a Struct and is decoded by msgspec: a dataclass, a TypedDict. Structs are found without
    this.
    """
    _declared.append(kind)


def only_encoded(kind: type) -> None:
    """Leave out a Struct and its subclasses, because no code decodes them."""
    _only_encoded.add(kind)


def is_only_encoded(kind: type) -> bool:
    """Return True if the type is left out."""
    return not _only_encoded.isdisjoint(kind.__mro__)


def loaded() -> list[type]:
    """Return every Struct that is defined now, without those that are only encoded, and every declared type."""
    return [*dict.fromkeys(_subclasses(msgspec.Struct)), *_declared]


def build() -> int:
    """Build the type information of every loaded type that has none yet; returns how many there were.

    Raises what msgspec raises for a type that it cannot decode; that is a fault of the type, and the process must not
    start.
    """
    new = [kind for kind in loaded() if kind not in _built]
    for kind in new:
        msgspec.json.Decoder(kind)
        _built.add(kind)
    return len(new)


def is_built(kind: type) -> bool:
    """Return True if `build` has seen the type."""
    return kind in _built


def _subclasses(kind: type) -> Iterator[type]:
    one: type
    for one in kind.__subclasses__():
        if one in _only_encoded:
            continue
        if not one.__module__.startswith("msgspec."):  # descriptions of types; msgspec never decodes them
            yield one
        yield from _subclasses(one)
