"""/v1/model: ticket types and the fields of people, as published and as drafts."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from functions.gateway.definition import drafts
from functions.gateway.definition.workflows import Checked, Draft, FindingShown, NewVersion
from functions.http.operations import Answer, Call, Cost, Operations
from functions.views.texts import LANGUAGE_TAG
from models.definitions import desk
from models.identity.rules import Permission
from models.infomodel import published as infomodel
from models.infomodel import schema as model_schema
from models.kernel import limits
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.publishing import publishing

operations = Operations()


class FieldShown(msgspec.Struct):
    """A field of a ticket type."""

    name: str
    kind: str
    label: dict[str, str]
    required: bool
    searchable: bool
    portal: str
    retired: bool


class TypeShown(msgspec.Struct):
    """A ticket type. `open`: it takes any field, and tickets whose type is not declared follow it."""

    type: str
    label: dict[str, str]
    workflow: str
    other_fields: str
    open: bool
    fields: list[FieldShown]


class Types(msgspec.Struct):
    """All ticket types, by name."""

    items: list[TypeShown]


class SchemaQuery(msgspec.Struct, kw_only=True):
    """The language of the titles; the desk's first language by default."""

    language: Annotated[str, msgspec.Meta(max_length=limits.locale_chars_max, pattern=LANGUAGE_TAG)] | None = None


def _schema(entity: Any, call: Call[None, SchemaQuery]) -> JsonObject:
    return model_schema.json_schema(entity, language=call.query.language, role=call.caller.role, desk=desk.current())


def _shown(entity: Any) -> TypeShown:
    fields = [
        FieldShown(name, field.kind, dict(field.label), field.required, field.searchable, field.portal, field.retired)
        for name, field in entity.fields.items()
    ]
    return TypeShown(entity.type or "", dict(entity.label), entity.workflow, entity.other_fields, entity.open, fields)


@operations.add(
    "GET", "/v1/model/types", summary="List ticket types", needs=Permission.definitions_read, answers={200: Types}
)
def list_types(call: Call) -> Answer:
    """Returns the types with their fields, by name."""
    return Answer(Types([_shown(one) for one in infomodel.all_types()]))


@operations.add(
    "GET",
    "/v1/model/types/{type}",
    summary="Get a ticket type",
    needs=Permission.definitions_read,
    answers={200: TypeShown},
    problems=(404,),
)
def read_type(call: Call) -> Answer:
    """With its fields."""
    return Answer(_shown(_type(call.params["type"])))


@operations.add(
    "GET",
    "/v1/model/types/{type}/schema",
    summary="Get the JSON Schema of a ticket type",
    needs=Permission.definitions_read,
    query=SchemaQuery,
    answers={200: JsonObject},
    problems=(404,),
)
def read_type_schema(call: Call[None, SchemaQuery]) -> Answer:
    """Describes `fields` of a ticket as the role of the caller can see and set it."""
    entity = _type(call.params["type"])
    return Answer(_schema(entity, call))


@operations.add(
    "GET",
    "/v1/model/entities/{entity}/schema",
    summary="Get the JSON Schema of requesters or organisations",
    needs=Permission.definitions_read,
    query=SchemaQuery,
    answers={200: JsonObject},
    problems=(404,),
)
def read_entity_schema(call: Call[None, SchemaQuery]) -> Answer:
    """`entity` is `requester` or `organisation`."""
    entity = infomodel.entity(call.params["entity"])
    if entity is None:
        raise NotFound(f"there is no model of {call.params['entity'][:40]!r}")
    return Answer(_schema(entity, call))


@operations.add(
    "POST",
    "/v1/model/types/{type}/check",
    cost=Cost.heavy,
    summary="Validate a draft of a ticket type",
    needs=Permission.definitions_read,
    body=Draft,
    answers={200: Checked},
)
def check_type(call: Call[Draft]) -> Answer:
    """Also reports stored values that would lose their field. Nothing is saved."""
    findings = [FindingShown(**one) for one in drafts.judged("model", call.params["type"], call.body.source)]
    return Answer(Checked(all(one.severity != "error" for one in findings), findings))


@operations.add(
    "POST",
    "/v1/model/types/{type}/versions",
    summary="Publish a version of a ticket type",
    needs=Permission.definitions_manage,
    body=NewVersion,
    answers={201: TypeShown, 200: TypeShown},
    problems=(409,),
)
def publish_type(call: Call[NewVersion]) -> Answer:
    """Takes effect immediately. A version under which stored values would lose their field is rejected with their
    number, and one that breaks a life cycle in force with the place; `POST /v1/definition_bundles` publishes both.
    """
    from models.infomodel import definition

    found = drafts.checked("model", call.params["type"], call.body.source)
    new = publishing.apply([found], by=call.caller.key, reason=call.body.reason, origin="api")
    return Answer(_shown(definition.read(found.body)), status=201 if new else 200)


def _type(name: str) -> Any:
    entity = infomodel.declared(name)
    if entity is None:
        raise NotFound(f"there is no ticket type {name[:60]!r}")
    return entity
