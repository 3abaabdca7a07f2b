"""Links of the OpenAPI document: from the answer of an operation to the operations that take an id of this answer
(OpenAPI 3.1.1, section 4.8.20).

They follow from the declarations, so a new operation gets its links by its path and its types. A resource is the answer
of `GET <collection>/{name}` with an `id`. An operation that creates a resource links to all operations below it. Other
writing operations link to the resources that their answers hold, such as the undo of a merge.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from functions.http.operations import Operation, Operations
from models.kernel.open_json import JsonObject

_PARAMETER: Final = re.compile(r"{(\w+)(?::\w+)?}")
_CREATED: Final = (201, 202)


@dataclass(frozen=True, slots=True)
class _Resource:
    """A collection with the operations below one of its resources. `name`: the path parameter of the id."""

    collection: str
    name: str
    operations: tuple[Operation, ...]

    def is_itself(self, operation: Operation) -> bool:
        """Return True if the operation has the path of one resource, and not of a part of it."""
        return _plain(operation.path) == f"{self.collection}/{{{self.name}}}"


class Links:
    """The links between the operations of one function."""

    def __init__(self, operations: Operations) -> None:
        self._by_collection = {found.collection: found for found in _resources(operations)}
        self._by_type: dict[Any, _Resource] = {}
        for resource in self._by_collection.values():
            for operation in resource.operations:
                kind = operation.answers.get(200)
                if operation.method == "GET" and resource.is_itself(operation) and _has_id(kind):
                    self._by_type.setdefault(kind, resource)

    def of(self, operation: Operation, status: int) -> JsonObject:
        """Return the links of one answer by name, empty without any."""
        kind = operation.answers[status]
        if not operation.writes or not _is_struct(kind):
            return {}
        found: JsonObject = {}
        if _has_id(kind) and status in _CREATED:
            resource = self._by_collection.get(_plain(operation.path)) or self._by_type.get(kind)
            if resource is not None:
                found |= _links(operation, resource, resource.operations, "id")
        for member, resource in self._members(kind):
            own = [one for one in resource.operations if resource.is_itself(one)]
            found |= _links(operation, resource, own, f"{member}/id", prefix=f"{member}_")
        return found

    def _members(self, kind: Any) -> Iterator[tuple[str, _Resource]]:
        """Yield the members of an answer that are resources."""
        for one in msgspec.structs.fields(kind):
            for inner in _alternatives(one.type):
                resource = self._by_type.get(inner)
                if resource is not None:
                    yield one.encode_name, resource


def _links(
    operation: Operation, resource: _Resource, targets: Iterable[Operation], pointer: str, *, prefix: str = ""
) -> JsonObject:
    """Return the links from an operation to those below a resource whose other path parameters it has as well."""
    given = set(_PARAMETER.findall(operation.path))
    found: JsonObject = {}
    for target in targets:
        others = set(_PARAMETER.findall(target.path)) - {resource.name}
        if not others <= given:
            continue
        parameters = {name: f"$request.path.{name}" for name in sorted(others)}
        found[prefix + target.handler.__name__] = {
            "operationId": target.handler.__name__,
            "parameters": parameters | {resource.name: f"$response.body#/{pointer}"},
            "description": f"{target.summary}.",
        }
    return found


def _resources(operations: Operations) -> Iterator[_Resource]:
    """Yield the collections whose resources have operations, by their paths."""
    below: dict[tuple[str, str], list[Operation]] = {}
    for operation in operations.all:
        path = _plain(operation.path)
        for match in _PARAMETER.finditer(path):
            below.setdefault((path[: match.start() - 1], match[1]), []).append(operation)
    for (collection, name), found in below.items():
        yield _Resource(collection, name, tuple(found))


def _plain(path: str) -> str:
    """Return a path without the converters of its parameters."""
    return _PARAMETER.sub(r"{\1}", path)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _has_id(kind: Any) -> bool:
    return _is_struct(kind) and "id" in {one.encode_name for one in msgspec.structs.fields(kind)}


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself."""
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
