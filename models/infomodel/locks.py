"""Fields that nobody may change while a ticket is in certain states, for instance after an approval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.infomodel.definition import Entity


def locked(entity: Entity | None, state: str) -> frozenset[str]:
    """Return the names of the fields that are locked in a state."""
    return frozenset() if entity is None else frozenset(n for n, one in entity.fields.items() if state in one.locked_in)


def changed(names: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return which of the names have another value after a change."""
    return sorted(name for name in names if before.get(name) != after.get(name))


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names of all fields that have another value after a change."""
    return changed(before.keys() | after.keys(), before, after)


def reason(name: str, state: str, ways_out: Iterable[str]) -> str:
    """Return the reason why a locked field cannot change, with the transitions that unlock it."""
    ways = " or ".join(ways_out)
    return f"locked while the ticket is {state}; " + (f"take {ways} first" if ways else "no transition unlocks it")
