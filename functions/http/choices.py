"""The values of an enum at a place of a body or a query, for the error that a wrong value gets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from models.kernel.open_json import JsonObject


def at(kind: type[msgspec.Struct], place: str) -> list[Any]:
    """Return the values that the type allows at a place (a JSON Pointer); empty where it has no enum."""
    schema, components = _schema(kind)
    found = [schema]
    for part in place.split("/")[1:]:
        found = [inner for one in found for inner in _members(one, part, components)]
    values = [value for one in found for branch in _branches(one, components) for value in branch.get("enum", ())]
    return [value for value in dict.fromkeys(values) if value is not None]


@lru_cache(maxsize=256)
def _schema(kind: type[msgspec.Struct]) -> tuple[JsonObject, JsonObject]:
    (schema,), components = msgspec.json.schema_components([kind])
    return schema, components


def _branches(schema: JsonObject, components: JsonObject) -> Iterator[JsonObject]:
    """The schema without references, and each alternative of a union."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[1]]
    alternatives = schema.get("anyOf")
    if alternatives is None:
        yield schema
    for one in alternatives or ():
        yield from _branches(one, components)


def _members(schema: JsonObject, name: str, components: JsonObject) -> Iterator[JsonObject]:
    for branch in _branches(schema, components):
        if name in branch.get("properties", {}):
            yield branch["properties"][name]
        elif isinstance(branch.get("items"), dict):
            yield branch["items"]
        elif isinstance(branch.get("additionalProperties"), dict):
            yield branch["additionalProperties"]
