"""Examples of request bodies, built from the JSON Schema of their types and from values by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.kernel.open_json import JsonObject

_depth_max = 6  # a body that refers to itself ends here
_BY_FORMAT = {
    "uuid": "019b2c5e-7a10-7c3e-9a53-5f0d2c8b1e44",
    "date-time": "2027-01-31T09:00:00Z",
    "date": "2027-01-31",
}
_BY_TYPE: JsonObject = {"integer": 1, "number": 1, "boolean": True, "object": {}, "string": "example"}


def of(schema: JsonObject, components: JsonObject, named: Mapping[str, Any], *, name: str = "", depth: int = 0) -> Any:
    """Return a value of the schema: required members, and the optional members that have a value by name.

    `named` has values by the name of a member, or by the names of its schema and itself (`NewSplit.requester`), which
    go before.
    """
    if "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[1]]
    if name in named and depth > 0:
        return named[name]
    if "enum" in schema:
        return next(value for value in schema["enum"] if value is not None)
    if "anyOf" in schema:
        alternatives = [one for one in schema["anyOf"] if one != {"type": "null"}]
        return of(alternatives[0], components, named, name=name, depth=depth)
    if "properties" in schema and depth < _depth_max:
        required, owner = set(schema.get("required", ())), schema.get("title", "")
        return {
            member: named[f"{owner}.{member}"]
            if f"{owner}.{member}" in named
            else of(inner, components, named, name=member, depth=depth + 1)
            for member, inner in schema["properties"].items()
            if member in required or member in named or f"{owner}.{member}" in named
        }
    if schema.get("type") == "array":
        items = schema.get("items")
        return [of(items, components, named, name=name, depth=depth + 1)] if isinstance(items, dict) else []
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(str(schema.get("type")), "example"))
