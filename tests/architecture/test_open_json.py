"""An object with unknown keys is named by an alias that says why its keys are unknown.

A plain `dict[str, Any]` does not say whether the keys are somebody else's or were never declared. So mypy cannot find a
misspelt key of our own.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# The aliases, and two calls of libraries that take keyword arguments.
NAMED = {
    "models/blobs/s3.py": 1,
    "models/kernel/storage/database.py": 2,
    "models/kernel/telemetry/foreign_logs.py": 1,
    "models/kernel/open_json.py": 1,
    "models/kernel/storage/postgres.py": 1,
    "scripts/check_manifests/documents.py": 1,
    "scripts/sandbox/json_object.py": 1,
}


def _plain_objects(source: str) -> Iterator[ast.Subscript]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and ast.unparse(node) in ("dict[str, Any]", "Dict[str, Any]"):
            yield node


def test_an_object_with_unknown_keys_has_a_name() -> None:
    found = Counter(
        str(path)
        for room in ("models", "functions", "queues", "scripts")
        for path in Path(room).rglob("*.py")
        for _ in _plain_objects(path.read_text(encoding="utf-8"))
    )

    assert dict(found) == NAMED, "models/kernel/open_json.py says which name is right, or when to declare a type"


def test_the_search_finds_an_object_wherever_it_is_written() -> None:
    source = "def f(a: list[dict[str, Any]]) -> dict[str, Any] | None: ...\nx: dict[str, int] = {}\n"

    assert len(list(_plain_objects(source))) == 2
