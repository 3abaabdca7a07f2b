"""The information model as published: read again every few seconds, so that a new field needs no restart."""

from __future__ import annotations

from models.definitions import store
from models.infomodel.definition import Entity, read


def find(type_: str) -> Entity | None:
    """Return the model in force that a ticket of the type follows: the type's own, else the one that is `open`.

    None: the type takes any fields, such as a type of an earlier release that no file declares.
    """
    return declared(type_) or next((one for one in all_types() if one.open), None)


def declared(type_: str) -> Entity | None:
    """Return the ticket type's own model in force, or None."""
    found = _entity(type_)
    return found if found is not None and found.type is not None else None


def entity(name: str) -> Entity | None:
    """Return the model of `requester` or `organisation`, or None."""
    return _entity(f"entity.{name}")


def all_models() -> list[Entity]:
    """Every model in force, by name: ticket types, and the fields of requesters and organisations."""
    found = [_entity(definition.name) for definition in store.all_latest("model")]
    return [one for one in found if one is not None]


def all_types() -> list[Entity]:
    """Every ticket type in force, by name."""
    return [one for one in all_models() if one.type is not None]


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
