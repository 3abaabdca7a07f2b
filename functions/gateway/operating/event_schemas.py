"""/v1/webhooks/schemas: the event types that webhooks can subscribe to, with their JSON Schemas."""

from __future__ import annotations

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.events import catalogue
from models.identity.rules import Permission
from models.kernel import settings
from models.kernel.errors import NotFound

operations = Operations()


class EventSchema(msgspec.Struct):
    """An event type and the URL of its schema."""

    event_type: str
    description: str
    schema_url: str


class EventSchemaList(msgspec.Struct):
    """All event types."""

    items: list[EventSchema]


@operations.add(
    "GET",
    "/v1/webhooks/schemas",
    summary="List event types",
    needs=Permission.webhooks_manage,
    answers={200: EventSchemaList},
)
def list_event_schemas(call: Call) -> Answer:
    """Each event type with the URL of its JSON Schema."""
    items = [
        EventSchema(name, catalogue.description(name), f"/v1/webhooks/schemas/{name}")
        for name in sorted(catalogue.EVENT_TYPES)
    ]
    return Answer(EventSchemaList(items))


@operations.add(
    "GET",
    "/v1/webhooks/schemas/{event_type}",
    summary="Get the schema of an event type",
    needs=Permission.webhooks_manage,
    answers={200: dict},
    problems=(404,),
)
def read_event_schema(call: Call) -> Answer:
    """The JSON Schema (2020-12) of the webhook's request body, version 1."""
    name = call.params["event_type"]
    if name not in catalogue.EVENT_TYPES:
        raise NotFound(f"there is no event type {name[:60]!r}")
    return Answer(catalogue.schema(name, settings.current().public_url))
