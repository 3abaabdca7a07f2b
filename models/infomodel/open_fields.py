"""Bounds of the fields that no model declares: their number, names, nesting and size.

A declared field has the bounds of its kind. A type without a model takes any JSON, and each ticket's fields are part of
lists, events and webhooks, so a single ticket could make all of them slow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from models.kernel import limits
from models.kernel.errors import FieldProblem
from models.kernel.storage.batch import as_json
from models.kernel.text import one_line


def problems(
    after: Mapping[str, Any],
    *,
    before: Mapping[str, Any],
    wanted: Collection[str],
    declared: Collection[str] = (),
    path: str = "/fields",
) -> list[FieldProblem]:
    """Return what is wrong with the undeclared fields that a change leaves.

    `wanted`: the names that the change sets. A ticket of an earlier release may exceed the size; it must not grow.
    """
    found = [
        FieldProblem(f"{path}/{name[: limits.field_name_chars_max]}", wrong)
        for name in wanted
        if name in after and name not in declared and (wrong := _wrong(name, after[name])) is not None
    ]
    if len(after) > limits.fields_max and len(after) > len(before):
        told = f"expected at most {limits.fields_max} fields with those it has, found {len(after)}"
        found.append(FieldProblem(path, told))
    if any(name not in declared for name in wanted):
        size = _size_bytes(after, declared)
        if size > limits.open_fields_bytes_max and size > _size_bytes(before, declared):
            told = f"expected at most {limits.open_fields_bytes_max} bytes of JSON with those it has, found {size}"
            found.append(FieldProblem(path, told))
    return found


def _wrong(name: str, value: Any) -> str | None:
    if not name or one_line(name, limits.field_name_chars_max) != name:
        return f"expected a name of one line and at most {limits.field_name_chars_max} characters"
    if _is_deeper(value, limits.open_field_depth_max):
        return f"expected at most {limits.open_field_depth_max} levels of lists and objects"
    return None


def _is_deeper(value: Any, depth_max: int) -> bool:
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else None
    if members is None:
        return False
    return depth_max == 0 or any(_is_deeper(one, depth_max - 1) for one in members)


def _size_bytes(fields: Mapping[str, Any], declared: Collection[str]) -> int:
    return len(as_json({name: value for name, value in fields.items() if name not in declared}).encode())
