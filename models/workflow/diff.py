"""Describes the differences between two versions of a definition in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. `path` as in messages: .transitions.resolve.guard"""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any

    @property
    def in_words(self) -> str:
        if self.kind == "added":
            return f"{self.path} is new: {_short(self.after)}"
        if self.kind == "removed":
            return f"{self.path} is gone (it was {_short(self.before)})"
        return f"{self.path}: {_short(self.before)} became {_short(self.after)}"


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Every change between two bodies; lists whose items have names (reactions, policies) are compared by name, and by
    their order.
    """
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _of_key(before, after, key, f"{path}.{key}")
        return
    if _named(before) and _named(after):
        yield from _of_list(before, after, path)
        return
    yield Difference(path, "changed", before, after)


def _of_key(before: Mapping[str, Any], after: Mapping[str, Any], key: str, path: str) -> Iterator[Difference]:
    if key not in after:
        yield Difference(path, "removed", before[key], None)
    elif key not in before:
        yield Difference(path, "added", None, after[key])
    else:
        yield from differences(before[key], after[key], path)


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and "name" in one for one in value)


def _of_list(before: list[Any], after: list[Any], path: str) -> Iterator[Difference]:
    old, new = {one["name"]: one for one in before}, {one["name"]: one for one in after}
    for name in dict.fromkeys([*old, *new]):
        yield from _of_key(old, new, name, f"{path}[{name}]")
    kept = old.keys() & new.keys()
    orders = [[name for name in names if name in kept] for names in (old, new)]
    if orders[0] != orders[1]:
        yield Difference(f"{path} (their order)", "changed", *orders)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else _plain(value)
    line = " ".join(str(text).split())
    return line if len(line) <= 100 else line[:99] + "…"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(one) for one in value) + "]"
    return "nothing" if value is None else str(value)
