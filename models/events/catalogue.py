"""The types of events that can be subscribed to, and the JSON Schemas that derive from their payloads' Structs.

Version 1 of every payload grows only by properties; a breaking change becomes a new version next to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.events import (
    answering_payloads,
    desk_payloads,
    people_payloads,
    sorting_payloads,
    ticket_payloads,
    workflow_payloads,
)
from models.events.payload import ID, MAYBE_TEXT, TEXT, WHOLE, EventPayload, properties, type_of
from models.kernel.open_json import JsonObject

VERSION: Final = 1
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# Event type -> its payload's class; the class's docstring says what the type means.
EVENT_TYPES: Final[Mapping[str, type[EventPayload]]] = {
    type_of(kind): kind
    for module in (
        ticket_payloads,
        answering_payloads,
        workflow_payloads,
        sorting_payloads,
        desk_payloads,
        people_payloads,
    )
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, EventPayload) and kind is not EventPayload
}

_MESSAGE: Final = {
    "type": ["object", "null"],
    "description": "The message that the event is about; only for subscriptions with include_bodies.",
    "properties": {
        "id": ID,
        "direction": TEXT,
        "kind": TEXT,
        "author_name": TEXT,
        "subject": MAYBE_TEXT,
        "body": TEXT,
    },
}


def description(event_type: str) -> str:
    """Return the public description of an event type."""
    return EVENT_TYPES[event_type].__doc__ or ""


def schema(event_type: str, base: str) -> JsonObject:
    """Return the JSON Schema of the body that a subscriber gets for this type; `base` is the beginning of our URLs."""
    promised = properties(EVENT_TYPES[event_type])
    payload = {
        "type": "object",
        "properties": promised,
        "required": sorted(promised),
        "additionalProperties": True,
    }
    data = {
        "event_id": ID,
        "event_type": {"const": event_type},
        "event_version": WHOLE,
        "occurred_at": TEXT | {"format": "date-time"},
        "aggregate": {
            "enum": ["ticket", "user", "role", "api_key", "webhook", "account", "view", "requester", "organisation"]
        },
        "aggregate_id": ID,
        "sequence": WHOLE,
        "actor": {"type": "object", "properties": {"kind": TEXT, "id": MAYBE_TEXT}, "required": ["kind", "id"]},
        "request_id": MAYBE_TEXT,
        "payload": payload,
    }
    return {
        "$schema": DIALECT,
        "$id": f"{base}/v1/webhooks/schemas/{event_type}",
        "title": event_type,
        "description": description(event_type),
        "type": "object",
        "required": ["type", "timestamp", "version", "data"],
        "properties": {
            "type": {"const": event_type},
            "timestamp": TEXT | {"format": "date-time"},
            "version": {"const": VERSION},
            "data": {
                "type": "object",
                "required": sorted(data),
                "properties": data | {"message": _MESSAGE, "left_out": {"type": "array", "items": TEXT}},
            },
        },
    }
