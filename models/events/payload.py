"""The base of event payloads: one Struct per type and version of event.

The class name is the event's type in CamelCase, the docstring its public description. A field without a default is
always written. The JSON Schema for subscribers publishes it, unless its type is `Unpublished`. A field that defaults to
UNSET is written when it is given, and is not published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Final, TypeAlias, TypeVar, get_type_hints, is_typeddict
from uuid import UUID

import msgspec

from models.kernel import type_info
from models.kernel.open_json import JsonObject

Json: TypeAlias = Mapping[str, Any]
Changes: TypeAlias = Mapping[str, Mapping[str, Any]]  # name -> {"from": ..., "to": ...}
Items: TypeAlias = Sequence[Any]
# The payload of a stored event. An earlier release may have written fewer fields than the Struct of its type has.
StoredPayload: TypeAlias = JsonObject
Unset: TypeAlias = msgspec.UnsetType
UNSET = msgspec.UNSET

T = TypeVar("T")
_UNPUBLISHED: Final = "unpublished"
# A field that is always written and that the published schema does not promise.
Unpublished: TypeAlias = Annotated[T, _UNPUBLISHED]

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
ID = {"type": "string", "format": "uuid"}
WHOLE = {"type": "integer"}
_SCHEMAS: dict[Any, JsonObject] = {
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


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The rule of a life cycle that caused an event. Its fields follow the payload's own in the JSON object.

    A rule without a condition has neither `condition` nor `values`.
    """

    rule: str
    workflow: str
    workflow_version: int
    condition: str | Unset = UNSET
    values: Json | Unset = UNSET


type_info.only_encoded(EventPayload)
type_info.only_encoded(Cause)


@cache
def type_of(kind: type[EventPayload]) -> str:
    """Return the event type of a payload class: `TicketCreated` is `ticket_created`."""
    return _WORD.sub("_", kind.__name__).lower()


@cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))


def as_mapping(payload: EventPayload | Cause) -> JsonObject:
    """Return the JSON object, fields in their order. Values are not converted: writing the column does that once."""
    return {
        public: value for name, public in _fields_of(type(payload)) if (value := getattr(payload, name)) is not UNSET
    }


def _schema(hint: Any) -> JsonObject:
    return dict(_SCHEMAS[Json if is_typeddict(hint) else hint])


def properties(kind: type[EventPayload]) -> dict[str, JsonObject]:
    """Return the JSON Schemas of the published fields."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        field.encode_name: _schema(hints[field.name])
        for field in msgspec.structs.fields(kind)
        if field.required and _UNPUBLISHED not in getattr(hints[field.name], "__metadata__", ())
    }
