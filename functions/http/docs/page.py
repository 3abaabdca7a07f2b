"""Write the OpenAPI document as one HTML page: operations in groups, each with a form, and the models of the bodies."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from functions.http import response_headers
from models.kernel import limits
from models.kernel.open_json import JsonObject

_escaped = html.escape


@lru_cache(maxsize=2)
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def headers() -> dict[str, str]:
    """Return the headers that let this page's style and script run, and nothing else."""
    return response_headers.for_page(_file("page.css"), script=_file("page.js"))


def page(spec: JsonObject) -> str:
    """Return the page of a document."""
    title = _escaped(spec["info"]["title"])
    groups: dict[str, list[tuple[str, str, JsonObject]]] = {tag["name"]: [] for tag in spec["tags"]}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append((method.upper(), path, operation))
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{title} API</title><style>{_file('page.css')}</style>",
        f"<h1>{title} API</h1><p>{_escaped(spec['info']['description'])} ",
        f"A page of a list has at most {limits.page_size_max} items. ",
        "Machine-readable: <a href=/openapi.json>openapi.json</a>.</p>",
        "<p>Each operation can be tried. The request is real and runs on this desk.</p>",
        "<label>Access token or API key, kept in this page only",
        "<input id=token type=password autocomplete=off></label>",
        *_contents(spec, groups),
    ]
    for tag in spec["tags"]:
        parts.append(f"<h2 id='{_id('group', tag['name'])}'>{_escaped(tag['name'])}</h2>")
        parts.append(f"<p>{_escaped(tag['description'])}</p>" if tag.get("description") else "")
        parts.extend(_operation(method, path, operation) for method, path, operation in groups[tag["name"]])
    parts.append("<h2 id=models>Models</h2>")
    parts.extend(_model(name, schema) for name, schema in sorted(spec["components"]["schemas"].items()))
    parts.append(f"<script>{_file('page.js')}</script></html>")
    return "".join(parts)


def _contents(spec: JsonObject, groups: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    yield "<nav>"
    for tag in spec["tags"]:
        name = tag["name"]
        yield f"<a href='#{_id('group', name)}'>{_escaped(name)} ({len(groups[name])})</a>"
    yield f"<a href='#models'>Models ({len(spec['components']['schemas'])})</a></nav>"


def _id(kind: str, name: str) -> str:
    return f"{kind}-{''.join(c if c.isalnum() else '-' for c in name)}"


def _operation(method: str, path: str, operation: JsonObject) -> str:
    head = f"<code>{method} {_escaped(path)}</code> {_escaped(operation['summary'])}"
    paragraphs = [one for one in operation.get("description", "").split("\n\n") if one]
    needed = [scope for one in operation.get("security", []) for scope in one.get("bearer", [])]
    told = "".join(f"<p>{_escaped(one)}</p>" for one in paragraphs)
    told += f"<p>Needs the permission <code>{_escaped(', '.join(needed))}</code>.</p>" if needed else ""
    parameters = [
        (f"<code>{_escaped(one['name'])}</code>", one["in"], kind(one["schema"]), _escaped(one["description"]))
        for one in operation["parameters"]
    ]
    bodies = operation.get("requestBody", {}).get("content", {})
    responses = [
        (status, _escaped(one["description"]), ", ".join(_contents_of(one)))
        for status, one in operation["responses"].items()
    ]
    return (
        f"<details id='{_escaped(operation['operationId'])}'><summary>{head}</summary>{told}"
        + _table("Parameters", parameters)
        + "".join(f"<h3>Body</h3><p>{_escaped(name)}: {kind(one['schema'])}</p>" for name, one in bodies.items())
        + _table("Responses", responses)
        + _form(method, path, operation["parameters"], bodies)
        + "</details>"
    )


def _contents_of(response: JsonObject) -> Iterator[str]:
    for content in response.get("content", {}).values():
        yield kind(content["schema"]) if "schema" in content else "bytes"


def _form(method: str, path: str, parameters: Sequence[JsonObject], bodies: Mapping[str, JsonObject]) -> str:
    fields = "".join(
        f"<label>{_escaped(one['name'])}{' (required)' if one['required'] else ''}"
        f"<input name='{_escaped(one['name'])}' data-in='{one['in']}' autocomplete=off></label>"
        for one in parameters
    )
    media_type, content = next(iter(bodies.items()), ("", {}))
    text = ""
    if media_type:
        example = json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""
        text = f"<label>Body<textarea spellcheck=false>{_escaped(example)}</textarea></label>"
    sent = media_type if media_type != "*/*" else "application/octet-stream"
    return (
        f"<details><summary>Try it</summary><div data-method={method} data-path='{_escaped(path)}'"
        f" data-media-type='{_escaped(sent)}'>{fields}{text}<button type=button>Send</button><output></output></div>"
        "</details>"
    )


def _model(name: str, schema: JsonObject) -> str:
    required = set(schema.get("required", []))
    rows = [
        (f"<code>{_escaped(member)}</code>", kind(inner), "required" if member in required else "")
        for member, inner in schema.get("properties", {}).items()
    ]
    told = f"<p>{_escaped(schema['description'])}</p>" if schema.get("description") else ""
    simple = "" if rows else f"<p>{kind(schema)}</p>"
    head = f"<details id='{_id('model', name)}'><summary>{_escaped(name)}</summary>"
    return f"{head}{told}{simple}{_table('', rows)}</details>"


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of cells that are HTML already; nothing without rows."""
    if not rows:
        return ""
    cells = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    return (f"<h3>{_escaped(title)}</h3>" if title else "") + f"<table>{cells}</table>"


def kind(schema: JsonObject) -> str:
    """Return a schema in words, as HTML; a model is a link to its place on the page."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[1]
        return f"<a href='#{_id('model', name)}'>{_escaped(name)}</a>"
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(_escaped(str(one)) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items') or {})}"
    bounds = [f"{name} {schema[name]}" for name in ("minLength", "maxLength", "minimum", "maximum") if name in schema]
    return _escaped(", ".join([str(schema.get("format") or schema.get("type", "any")), *bounds]))
