"""The base of event payloads: one Struct per type and version of event.

The class name is the event's type in CamelCase, the docstring its public description. A field without a default is
always present and published in the JSON Schema; a field that defaults to UNSET is written when it is given, and not
promised to subscribers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeAlias, get_type_hints
from uuid import UUID

import msgspec

Json: TypeAlias = Mapping[str, Any]
Changes: TypeAlias = Mapping[str, Mapping[str, Any]]  # name -> {"from": ..., "to": ...}
Items: TypeAlias = Sequence[Any]
Unset: TypeAlias = msgspec.UnsetType
UNSET = msgspec.UNSET

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
ID = {"type": "string", "format": "uuid"}
WHOLE = {"type": "integer"}
_SCHEMAS: dict[Any, dict[str, Any]] = {
    str: TEXT,
    str | None: MAYBE_TEXT,
    UUID: ID,
    UUID | None: {"type": ["string", "null"], "format": "uuid"},
    int: WHOLE,
    Json: {"type": "object"},
    Items: {"type": "array"},
    Changes: {
        "type": "object",
        "additionalProperties": {"type": "object", "properties": {"from": {}, "to": {}}},
    },
}
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class EventPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of one type of event."""

    version: ClassVar[int] = 1


@cache
def type_of(kind: type[EventPayload]) -> str:
    """Return the event type of a payload class: `TicketCreated` is `ticket_created`."""
    return _WORD.sub("_", kind.__name__).lower()


def as_mapping(payload: EventPayload) -> dict[str, Any]:
    """Return the payload's JSON object, fields in their order; ids and instants stay objects. Costs some 1 us."""
    found: dict[str, Any] = msgspec.to_builtins(payload, builtin_types=(UUID, datetime))
    return found


def properties(kind: type[EventPayload]) -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of the fields that are always present."""
    hints = get_type_hints(kind)
    return {
        field.encode_name: dict(_SCHEMAS[hints[field.name]]) for field in msgspec.structs.fields(kind) if field.required
    }
