"""The links of the document lead from the answer of an operation to operations that take an id of this answer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.functions.callers import Caller, sqlite_only
from tests.functions.http.thinned_documents import links_of

pytestmark = sqlite_only


@pytest.fixture
def document(gateway: Any) -> Any:
    return Caller(gateway).read("/openapi.json")


@pytest.mark.parametrize(
    ("method", "path", "linked"),
    [
        ("post", "/v1/tickets", {"read_ticket", "add_message", "merge_ticket", "split_ticket", "make_transition"}),
        ("post", "/v1/tickets/{ticket}/messages", {"read_message", "retry_message"}),
        ("post", "/v1/tickets/{ticket}/merges", {"into_read_ticket", "undo_read_undo", "undo_restore"}),
        ("put", "/v1/tickets/{ticket}/contact", {"undo_restore"}),
        ("post", "/v1/bulk_changes", {"read_bulk_change", "list_bulk_tickets", "undo_bulk_change"}),
        ("post", "/v1/tags/{tag}/renaming", {"read_bulk_change"}),
        ("post", "/v1/workflows/{workflow}/migrations", {"read_migration"}),
        ("post", "/v1/webhooks/{webhook}/test", {"read_webhook_delivery"}),
    ],
)
def test_an_operation_links_to_those_of_the_resource_that_it_creates(
    document: Any, method: str, path: str, linked: set[str]
) -> None:
    assert linked <= links_of(document["paths"][path][method]).keys()


def test_every_link_names_an_operation_its_path_parameters_and_members_of_the_answer(document: Any) -> None:
    by_id = {
        operation["operationId"]: path for path, methods in document["paths"].items() for operation in methods.values()
    }
    schemas = document["components"]["schemas"]
    checked = 0

    for path, methods in document["paths"].items():
        for operation in methods.values():
            for answer in operation["responses"].values():
                for name, link in answer.get("links", {}).items():
                    where = f"{operation['operationId']}: {name}"
                    wanted = set(re.findall(r"{(\w+)}", by_id[link["operationId"]]))
                    assert link["parameters"].keys() == wanted, where
                    for value in link["parameters"].values():
                        place, _, inner = value.partition("#/")
                        if place == "$response.body":
                            schema = answer["content"]["application/json"]["schema"]
                            assert _has(schema, inner.split("/"), schemas), where
                        else:
                            assert f"{{{value.removeprefix('$request.path.')}}}" in path, where
                    checked += 1

    assert checked > 100


def _has(schema: dict[str, Any], members: list[str], schemas: dict[str, Any]) -> bool:
    """Return True if a value of the schema can have the member at the end of a path of members."""
    if "$ref" in schema:
        return _has(schemas[schema["$ref"].rpartition("/")[2]], members, schemas)
    if "anyOf" in schema:
        return any(_has(one, members, schemas) for one in schema["anyOf"])
    if not members:
        return True
    first, *rest = members
    return first in schema.get("properties", {}) and _has(schema["properties"][first], rest, schemas)
