"""The information model as published: read again every few seconds, so that a new field needs no restart."""

from __future__ import annotations

from models.definitions import store
from models.infomodel.definition import Entity, read


def find(type_: str) -> Entity | None:
    """Return the ticket type's model in force, or None: the type takes any fields."""
    return _entity(type_)


def entity(name: str) -> Entity | None:
    """Return the model of `requester` or `organisation`, or None."""
    return _entity(f"entity.{name}")


def all_types() -> list[Entity]:
    """Every ticket type in force, by name."""
    found = [_entity(definition.name) for definition in store.all_latest("model")]
    return [one for one in found if one is not None and one.type is not None]


def _entity(name: str) -> Entity | None:
    definition = store.latest("model", name)
    if definition is None:
        return None
    known = _made.get((name, definition.version))
    if known is None or known[0] is not definition.body:
        known = (definition.body, read(definition.body))
        _made[(name, definition.version)] = known
    return known[1]


_made: dict[tuple[str, int], tuple[object, Entity]] = {}
