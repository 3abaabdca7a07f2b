"""The information model's fields as types of conditions, and the values that they can have."""

from __future__ import annotations

import math
from collections.abc import Iterable

from models.expressions.types import BOOL, DOUBLE, DYN, INT, STRING, ListType, Record, Type
from models.infomodel.definition import Entity, Field

MONEY = Record({"amount": INT, "currency": STRING})
_TYPES: dict[str, Type] = {
    "number": DOUBLE,
    "duration": INT,
    "checkbox": BOOL,
    "multi_choice": ListType(STRING),
    "money": MONEY,
}


def type_of(field: Field) -> Type:
    """Return a field's type in conditions; every kind of text is a string."""
    return _TYPES.get(field.kind, STRING)


def record(entities: Iterable[Entity]) -> Record | None:
    """Return the fields of one type, or of several (a name of two kinds is DYN); None when one takes any fields."""
    fields: dict[str, Type] = {}
    open_ = False
    for entity in entities:
        open_ = open_ or entity.takes_any_field
        for name, field in entity.fields.items():
            found = type_of(field)
            fields[name] = found if fields.get(name, found) == found else DYN
    return Record(fields, open=open_)


def condition_environment(entity: Entity) -> dict[str, Type]:
    """Return the names that `required_when` and `visible_when` may read."""
    typed = record([entity]) or Record({}, open=True)
    return {"fields": typed, "ticket": Record({"type": STRING, "priority": STRING, "state": STRING})}


def bounds(entities: Iterable[Entity]) -> dict[str, tuple[float, float]]:
    """Path -> the least and the greatest number that a field can be in a comparison, where an empty number counts as 0.
    Only fields that are a number in every type that has them.
    """
    found: dict[str, tuple[float, float]] = {}
    other: set[str] = set()
    for entity in entities:
        for name, field in entity.fields.items():
            path = f"fields.{name}"
            if field.kind not in ("number", "duration"):
                other.add(path)
                continue
            low = min(field.min, 0.0) if field.min is not None else -math.inf
            high = max(field.max, 0.0) if field.max is not None else math.inf
            known = found.get(path, (math.inf, -math.inf))
            found[path] = (min(known[0], low), max(known[1], high))
    return {path: span for path, span in found.items() if path not in other}


def domains(entities: Iterable[Entity]) -> dict[str, tuple[object, ...]]:
    """Path -> the values that a choice field can have (`""` is none)."""
    found: dict[str, tuple[object, ...]] = {}
    other: set[str] = set()
    for entity in entities:
        for name, field in entity.fields.items():
            if field.kind == "choice":
                known = found.get(f"fields.{name}", ("",))
                found[f"fields.{name}"] = (*known, *(c for c in field.choices if c not in known))
            else:
                other.add(f"fields.{name}")  # a text by that name in another type can be anything
    return {path: values for path, values in found.items() if path not in other}
