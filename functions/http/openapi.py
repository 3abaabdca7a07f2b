"""The OpenAPI 3.1 document of the declared operations (https://spec.openapis.org/oas/v3.1.1), as JSON and as a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from functions.http import examples, monitoring
from functions.http.openapi_links import Links
from functions.http.operations import IF_MATCH, Answer, Call, Cost, Idempotency, Operation, Operations
from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings

VERSION = "0.1.0"
_STATUS_DESCRIPTIONS = {
    200: "OK.",
    201: "Created.",
    202: "Accepted; processed asynchronously.",
    204: "No content.",
    206: "Partial content.",
    303: "See another page.",
    304: "Nothing changed since the ETag in If-None-Match.",
    400: "The request is malformed.",
    401: "Authentication required.",
    403: "The role of the caller does not permit this operation.",
    404: "Not found.",
    408: "The request body did not arrive in time.",
    409: "The request conflicts with the current state.",
    410: "Gone.",
    412: "The resource was changed since the version in If-Match.",
    413: "The request body is too large.",
    415: "The media type is not supported.",
    422: "A value is invalid.",
    428: "If-Match is required.",
    429: "Too many requests. Retry after the time in Retry-After.",
    503: "Temporarily unavailable. The request can be repeated safely.",
}
_IF_MATCH_DESCRIPTION = 'The ETag of the resource, such as `"3"`, or `*`. A newer version answers 412.'
_IF_NONE_MATCH_DESCRIPTION = "The ETag of an earlier answer. If nothing changed, the answer is 304 without a body."
_IDEMPOTENCY_KEY_DESCRIPTION = (
    "Identifies the request, so that a repeat returns the stored response instead of a second effect."
)


class ProblemError(msgspec.Struct):
    """An invalid value: its place and the expectation."""

    path: str
    message: str


class MessageSince(msgspec.Struct):
    """A message that was added after the one that the author of a reply saw last."""

    id: str
    sequence: int
    kind: str
    author_kind: str
    author_name: str
    created_at: str


class Problem(msgspec.Struct, omit_defaults=True):
    """An error (RFC 9457). `code` is stable; `request_id` identifies the request in the logs. `new_messages` belongs to
    the code `thread_moved_on`.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemError] = []
    reasons: list[str] = []
    new_messages: list[MessageSince] = []


def document(operations: Operations, function: str) -> JsonObject:
    """The OpenAPI document of a function's operations."""
    types: list[Any] = [Problem]
    for operation in operations.all:
        types.extend(t for t in (operation.body, operation.query, *operation.answers.values()) if _has_schema(t))
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(unique, schemas, strict=True))
    described: set[str] = set()
    for operation in operations.all:
        for kind in (operation.body, operation.query):
            if kind is not None:
                _describe_texts(by_type[kind], components, described)
    paths: dict[str, JsonObject] = {}
    links = Links(operations)
    for operation in operations.all:
        path = re.sub(r"{(\w+)(:\w+)?}", r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(
            operation, by_type, components, operations, links
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Nestor {function}",
            "version": VERSION,
            "description": "Errors are RFC 9457 problem details. Times are RFC 3339 in UTC. `cursor` paginates lists.",
        },
        "tags": _tags(operations),
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API key."}
            },
        },
    }


_TAG_OF_OTHERS = ("Operating", "Health, metrics, documentation, and what other servers call.")


def _group(operation: Operation, operations: Operations) -> tuple[str, str]:
    """The name and description of an operation's group, by the noun that its path begins with."""
    parts = operation.path.split("/")
    return operations.groups.get(parts[2], _TAG_OF_OTHERS) if parts[1] == "v1" else _TAG_OF_OTHERS


def _tags(operations: Operations) -> list[JsonObject]:
    """The groups that have an operation. The first description of a name counts."""
    used = {_group(operation, operations)[0] for operation in operations.all}
    found: dict[str, JsonObject] = {}
    for name, told in (*operations.groups.values(), _TAG_OF_OTHERS):
        if name in used:
            found.setdefault(name, {"name": name, "description": told})
    return list(found.values())


# What functions/http/values.py accepts in the texts of a body.
_TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"


def _describe_texts(schema: JsonObject, components: JsonObject, described: set[str], name: str = "") -> None:
    """Give every short text of a body that has no pattern of its own the pattern of a text without control characters.

    A pattern of a text of many pages is of no use to a client and slow to check.
    """
    if "$ref" in schema:
        component = schema["$ref"].rsplit("/", 1)[1]
        if component in described:
            return
        described.add(component)
        schema = components[component]
    is_text = schema.get("type") == "string" and schema.get("maxLength", 0) <= limits.comment_chars_max
    if is_text and not {"pattern", "format", "enum"} & schema.keys() and not name.endswith("password"):
        schema["pattern"] = _TEXT_PATTERN
    for member, inner in schema.get("properties", {}).items():
        _describe_texts(inner, components, described, member)
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if isinstance(schema.get("items"), dict) else [])):
        _describe_texts(inner, components, described, name)


def _has_schema(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _operation(
    operation: Operation, by_type: dict[Any, Any], components: JsonObject, operations: Operations, links: Links
) -> JsonObject:
    described: JsonObject = {
        "operationId": operation.handler.__name__,
        "tags": [_group(operation, operations)[0]],
        "summary": operation.summary,
        "parameters": _parameters(operation, by_type, components, operations.parameters),
        "responses": _responses(operation, by_type, links),
    }
    if operation.handler.__doc__:
        described["description"] = inspect.cleandoc(operation.handler.__doc__)
    if not operation.public:
        # OpenAPI 3.1, Security Requirement Object: the names that the caller needs for the operation.
        described["security"] = [{"bearer": [str(operation.needs)] if operation.needs is not None else []}]
    else:
        described["security"] = []
    if operation.body is not None:
        schema = by_type[operation.body]
        content = {
            "application/json": {"schema": schema, "example": examples.of(schema, components, operations.examples)}
        }
        described["requestBody"] = {"required": True, "content": content}
    elif operation.raw is not None:
        content = {operation.raw: {"schema": {}}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(
    operation: Operation, by_type: dict[Any, Any], components: JsonObject, described_names: Mapping[str, str]
) -> list[JsonObject]:
    parameters = [
        _parameter(
            name,
            "path",
            {"type": "string"}
            | ({"pattern": operation.path_patterns[name]} if name in operation.path_patterns else {}),
            described_names.get(name, f"The id of the {name}."),
            required=True,
        )
        for name, _ in re.findall(r"{(\w+)(:\w+)?}", operation.path)
    ]
    if operation.query is not None:
        schema = components[by_type[operation.query]["$ref"].rsplit("/", 1)[1]]
        for name, described in schema["properties"].items():
            # Lists are written and read by comma.
            style = {"style": "form", "explode": False} if described.get("type") == "array" else {}
            text = described.pop("description", None) or described_names[name]
            if described.get("type") == "object":
                described, style = _members_as_parameters(name, described), {"style": "form", "explode": True}
            parameters.append(_parameter(name, "query", _without_null(described), text) | style)
    if operation.etag:
        etag = {"type": "string", "pattern": IF_MATCH}
        required = operation.etag is True
        parameters.append(_parameter("If-Match", "header", etag, _IF_MATCH_DESCRIPTION, required=required))
    if 304 in operation.answers:
        parameters.append(
            _parameter("If-None-Match", "header", {"type": "string", "pattern": IF_MATCH}, _IF_NONE_MATCH_DESCRIPTION)
        )
    if operation.writes and operation.idempotency in (Idempotency.honoured, Idempotency.handler):
        key = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
        parameters.append(_parameter("Idempotency-Key", "header", key, _IDEMPOTENCY_KEY_DESCRIPTION))
    return parameters


def _members_as_parameters(name: str, schema: JsonObject) -> JsonObject:
    """The schema of a mapping whose members are parameters of their own: `<name>.<member>`."""
    bounds = {"maxProperties": schema["maxProperties"]} if "maxProperties" in schema else {}
    members = {rf"^{name}\.[a-z][a-z0-9_]*$": schema["additionalProperties"]}
    return {"type": "object", "patternProperties": members, "additionalProperties": False} | bounds


def _parameter(name: str, place: str, schema: JsonObject, description: str, *, required: bool = False) -> JsonObject:
    return {"name": name, "in": place, "required": required, "description": description, "schema": schema}


def _without_null(schema: JsonObject) -> JsonObject:
    """The schema without null: a query cannot express null, so an optional parameter is left out instead."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if not kinds:
        return schema
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def _responses(operation: Operation, by_type: dict[Any, Any], links: Links) -> JsonObject:
    responses: JsonObject = {}
    for status, kind in operation.answers.items():
        content = _content(kind, operation.media_type, by_type)
        linked = links.of(operation, status)
        responses[str(status)] = (
            {"description": _STATUS_DESCRIPTIONS[status]} | content | ({"links": linked} if linked else {})
        )
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in _problem_statuses(operation) - operation.answers.keys():
        responses[str(status)] = {"description": _STATUS_DESCRIPTIONS[status], "content": problem}
    return dict(sorted(responses.items()))


def _content(kind: Any, media_type: str, by_type: dict[Any, Any]) -> JsonObject:
    """The `content` of a response whose body has the type `kind`; none without a body."""
    if kind is None:
        return {}
    if kind is str:
        return {"content": {media_type: {"schema": {"type": "string"}}}}
    if kind is bytes:
        return {"content": {media_type: {}}}
    return {"content": {"application/json": {"schema": by_type.get(kind, {})}}}


def _problem_statuses(operation: Operation) -> set[int]:
    """The error statuses of an operation: those that it declares, and those that follow from its declaration."""
    has_body = operation.body is not None or operation.raw is not None
    works_without_database = operation.public and operation.unlocked and not operation.path.startswith("/webhooks")
    implied = (
        (not works_without_database, {400, 503}),
        (not operation.public, {401, 403}),
        (operation.charged is not Cost.free, {429}),
        (has_body, {400, 408, 413, 415}),
        (operation.body is not None or operation.query is not None, {422}),
        (bool(operation.etag), {412}),
        (operation.etag is True, {428}),
        (operation.writes and operation.idempotency in (Idempotency.honoured, Idempotency.handler), {409}),
        (operation.writes and operation.idempotency is Idempotency.refused, {400}),
    )
    return set(operation.problems).union(*(statuses for applies, statuses in implied if applies))


def add(operations: Operations, function: str, config: Settings) -> None:
    """Add the operations /openapi.json and /docs."""
    cached: dict[str, bytes] = {}

    def encoded() -> bytes:
        if "json" not in cached:
            cached["json"] = msgspec.json.encode(document(operations, function))
        return cached["json"]

    @operations.add(
        "GET", "/openapi.json", summary="Get the OpenAPI document", answers={200: dict}, public=True, unlocked=True
    )
    def openapi_json(call: Call) -> Answer:
        """OpenAPI 3.1 as JSON."""
        return Answer(raw=encoded())

    @operations.add(
        "GET",
        "/docs",
        summary="Get the documentation",
        answers={200: str},
        public=True,
        unlocked=True,
        media_type="text/html",
        problems=(401,),
    )
    def docs(call: Call) -> Answer:
        """The OpenAPI document as a page for people, where operations can be tried. Needs MONITOR_TOKEN."""
        from functions.http.docs import page  # cold start: loaded when somebody reads the page

        monitoring.require(call, config)
        return Answer(
            raw=page.page(msgspec.json.decode(encoded())).encode(),
            content_type="text/html; charset=utf-8",
            headers=page.headers(),
        )
