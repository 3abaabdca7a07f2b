"""OpenAPI 3.1 generated from the declared operations (https://spec.openapis.org/oas/v3.1.1), and a readable page of it."""

from __future__ import annotations

import html
import re
from typing import Any

import msgspec

from functions.http.operations import IF_MATCH, Answer, Call, Operation, Operations
from models.kernel import limits

VERSION = "0.1.0"
_TEXTS = {
    200: "Done",
    201: "Made",
    202: "Taken",
    204: "Done",
    400: "The request cannot be read",
    401: "Who are you?",
    403: "Your role does not allow this",
    404: "No such thing",
    409: "Does not go together with what is there",
    412: "Changed since you read it",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "Wrong media type",
    422: "Wrong value",
    428: "If-Match is missing",
    429: "Too many requests",
    503: "The database cannot serve the request now; a repeat is safe",
}


class ProblemError(msgspec.Struct):
    """One wrong value: where, and what was expected."""

    path: str
    message: str


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong (RFC 9457). `code` is stable; `request_id` names the request in our logs."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemError] = []
    reasons: list[str] = []


def document(operations: list[Operation], function: str) -> dict[str, Any]:
    """The OpenAPI document of a function's operations."""
    types: list[Any] = [Problem]
    for operation in operations:
        types.extend(t for t in (operation.body, operation.query, *operation.answers.values()) if _has_schema(t))
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = re.sub(r"{(\w+)(:\w+)?}", r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Nestor {function}",
            "version": VERSION,
            "description": "Errors are RFC 9457 problem details. Times are RFC 3339 in UTC. Lists are read with `cursor`.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API key"}
            },
        },
    }


def _has_schema(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _operation(operation: Operation, by_type: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "parameters": _parameters(operation, by_type, components),
        "responses": _responses(operation, by_type),
    }
    if operation.handler.__doc__:
        described["description"] = operation.handler.__doc__
    if not operation.public:
        described["security"] = [{"bearer": []}]
    if operation.body is not None:
        content = {"application/json": {"schema": by_type[operation.body]}}
        described["requestBody"] = {"required": True, "content": content}
    elif operation.raw is not None:
        content = {operation.raw: {"schema": {}}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation, by_type: dict[Any, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name, _ in re.findall(r"{(\w+)(:\w+)?}", operation.path)
    ]
    if operation.query is not None:
        schema = components[by_type[operation.query]["$ref"].rsplit("/", 1)[1]]
        for name, described in schema["properties"].items():
            # By comma, as we document and read lists.
            style = {"style": "form", "explode": False} if described.get("type") == "array" else {}
            parameter = {"name": name, "in": "query", "required": False, "schema": _without_null(described)}
            parameters.append(parameter | style)
    if operation.etag:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": operation.etag is True,
                "schema": {"type": "string", "pattern": IF_MATCH},
            }
        )
    if operation.writes and not operation.unlocked:
        key = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": key})
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """An optional parameter is left out; in a query there is no way to write null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if not kinds:
        return schema
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return rest | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def _responses(operation: Operation, by_type: dict[Any, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, kind in operation.answers.items():
        responses[str(status)] = {"description": _TEXTS.get(status, "Answer")}
        if kind is str:
            responses[str(status)]["content"] = {operation.media_type: {"schema": {"type": "string"}}}
        elif kind is bytes:
            responses[str(status)]["content"] = {operation.media_type: {}}
        elif kind is not None:
            schema = by_type.get(kind, {})
            responses[str(status)]["content"] = {"application/json": {"schema": schema}}
    statuses = set(operation.problems)
    if not (operation.public and operation.unlocked and not operation.path.startswith("/webhooks")):
        statuses |= {400, 503}
    if not operation.public:
        statuses |= {401, 403}
    if operation.body is not None or operation.raw is not None:
        statuses |= {400, 408, 413, 415}
    if operation.body is not None or operation.query is not None:
        statuses |= {422}
    if operation.etag:
        statuses |= {412, 428} if operation.etag is True else {412}
    if operation.writes and not operation.unlocked:
        statuses |= {409}
    for status in sorted(statuses - operation.answers.keys()):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(status)] = {"description": _TEXTS.get(status, "Problem"), "content": content}
    return dict(sorted(responses.items()))


def add(operations: Operations, function: str) -> None:
    """Add /openapi.json and its readable page."""
    cached: dict[str, bytes] = {}

    def encoded() -> bytes:
        if "json" not in cached:
            cached["json"] = msgspec.json.encode(document(operations.all, function))
        return cached["json"]

    @operations.add("GET", "/openapi.json", summary="This document", answers={200: dict}, public=True, unlocked=True)
    def openapi_json(call: Call) -> Answer:
        return Answer(raw=encoded())

    @operations.add(
        "GET",
        "/docs",
        summary="This document, readable",
        answers={200: str},
        public=True,
        unlocked=True,
        media_type="text/html",
    )
    def docs(call: Call) -> Answer:
        return Answer(raw=page(msgspec.json.decode(encoded())).encode(), content_type="text/html; charset=utf-8")


def page(spec: dict[str, Any]) -> str:
    """The document as one plain HTML page, without scripts."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{html.escape(spec['info']['title'])} API</title><style>body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;",
        "padding:0 1rem}code{background:#8882;padding:.1em .3em;border-radius:.2em}h2{margin-top:2rem;border-top:1px solid #8884;",
        "padding-top:1rem}table{border-collapse:collapse}td,th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}</style>",
        f"<h1>{html.escape(spec['info']['title'])} API</h1><p>{html.escape(spec['info']['description'])} ",
        "Machine-readable: <a href=/openapi.json>openapi.json</a>.</p>",
    ]
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            parts.append(
                f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{html.escape(operation['summary'])}</p>"
            )
            if operation.get("description"):
                parts.append(f"<p>{html.escape(operation['description'])}</p>")
            parts.append(
                _rows("Parameters", [(p["name"], p["in"], _kind(p["schema"])) for p in operation["parameters"]])
            )
            body = operation.get("requestBody", {}).get("content", {})
            for media_type, content in body.items():
                parts.append(_rows(f"Body, {media_type}", _properties(content["schema"], spec)))
            parts.append(
                _rows("Answers", [(s, r["description"], _answer(r)) for s, r in operation["responses"].items()])
            )
    parts.append(f"<p>Lists give at most {limits.page_size_max} items a page.</p></html>")
    return "".join(parts)


def _rows(title: str, rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(str(c))}" for c in row) for row in rows)
    return f"<h3>{html.escape(title)}</h3><table>{cells}</table>"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in schema:
        return " or ".join(_kind(s) for s in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = [f"{name} {schema[name]}" for name in ("minLength", "maxLength", "minimum", "maximum") if name in schema]
    return ", ".join([str(schema.get("type", "any")), *bounds])


def _properties(schema: dict[str, Any], spec: dict[str, Any]) -> list[tuple[str, str, str]]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    required = set(schema.get("required", []))
    return [
        (name, _kind(s), "required" if name in required else "") for name, s in schema.get("properties", {}).items()
    ]


def _answer(response: dict[str, Any]) -> str:
    return ", ".join(_kind(c["schema"]) if "schema" in c else "bytes" for c in response.get("content", {}).values())
