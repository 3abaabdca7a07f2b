"""The gateway's OpenAPI document without the repetitions that cost the everyday test most of its time.

The framework adds some parameters to many operations, and several operations take the same filter of tickets. One
operation of each kind finds a fault of them as well as all do. The extended test sends the whole document.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

# Parameters of pages: every list has them.
_PAGES = frozenset({"cursor", "limit"})
# Operations that take the filter of `GET /v1/tickets`, in the query or in the body.
_FILTERED = (("/v1/search", "get"), ("/v1/views/{view}", "patch"))


def without_repetitions(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with `Idempotency-Key` once for each group and method, with the filter of tickets where it is
    read from a query, from a view and from a bulk change, and with every body whole once.
    """
    found = copy.deepcopy(document)
    seen: set[tuple[str, ...]] = set()
    for methods in found["paths"].values():
        for method, operation in methods.items():
            kind = (operation["tags"][0], method)
            if kind in seen:
                operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "Idempotency-Key"]
            seen.add(kind)
            if has_body(operation):
                _cut_repeated_body(operation, found["components"]["schemas"], seen)
    filters = {one["name"] for one in found["paths"]["/v1/tickets"]["get"]["parameters"]} - _PAGES - {"q", "sort"}
    for path, method in _FILTERED:
        operation = found["paths"][path][method]
        operation["parameters"] = [one for one in operation["parameters"] if one["name"] not in filters]
    del found["components"]["schemas"]["ViewChanges"]["properties"]["filter"]
    return found


def _cut_repeated_body(operation: dict[str, Any], schemas: dict[str, Any], seen: set[tuple[str, ...]]) -> None:
    """Leave only the required members of a body that an earlier operation has whole."""
    content = operation["requestBody"]["content"].get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if (name,) in seen:
        whole = schemas[name]
        required = {one: whole["properties"][one] for one in whole.get("required", ())}
        content["schema"] = {**whole, "properties": required}
        content.pop("example", None)
    elif name:
        seen.add((name,))


def has_body(operation: dict[str, Any]) -> bool:
    """Return True if an operation reads a body."""
    return "requestBody" in operation


def has_query(operation: dict[str, Any]) -> bool:
    """Return True if an operation has query parameters besides those of every page."""
    return any(one["in"] == "query" and one["name"] not in _PAGES for one in operation["parameters"])


def only(document: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the document with the operations that `wanted` chooses, without links."""
    found = copy.deepcopy(document)
    for path, methods in list(found["paths"].items()):
        found["paths"][path] = chosen = {name: one for name, one in methods.items() if wanted(one)}
        for operation in chosen.values():
            for response in operation["responses"].values():
                response.pop("links", None)
        if not chosen:
            del found["paths"][path]
    return found


def linked(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the operations at the ends of links. A link from an operation whose body is a form is
    left out: the document does not describe its parts.
    """
    found = copy.deepcopy(document)
    operations = [one for methods in found["paths"].values() for one in methods.values()]
    sources = [one for one in operations if links_of(one) and not _takes_a_form(one)]
    ends = {one["operationId"] for one in sources} | {
        link["operationId"] for one in sources for link in links_of(one).values()
    }
    for path, methods in list(found["paths"].items()):
        found["paths"][path] = {name: one for name, one in methods.items() if one["operationId"] in ends}
        if not found["paths"][path]:
            del found["paths"][path]
    return found


def links_of(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the links of all answers of an operation by name."""
    return {name: link for answer in operation["responses"].values() for name, link in answer.get("links", {}).items()}


def _takes_a_form(operation: dict[str, Any]) -> bool:
    return has_body(operation) and "application/json" not in operation["requestBody"]["content"]
