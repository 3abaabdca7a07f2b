"""Reject values that JSON and URLs can express and a database cannot store or return.

Without this, a null character, a number of 400 digits or a time in the year 0 fails later, as a 500 or an unreadable
row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.text import has_control


def settle_member(owner: msgspec.Struct, name: str, path: str, depth: int = 0) -> None:
    """Check one property and convert its time to UTC. Raises Invalid."""
    value = getattr(owner, name)
    if isinstance(value, datetime):
        setattr(owner, name, _in_utc(value, path))
    else:
        settle(value, path, depth)


def settle(value: Any, path: str = "", depth: int = 0) -> None:
    """Check a decoded value recursively and convert its times to UTC. Raises Invalid with the place."""
    match value:
        case str():
            _check_text(value, path)
        case int() | float():
            if not -(2**63) <= value < 2**63:
                raise Invalid([FieldProblem(path, "expected a number of at most 64 bits")])
        case msgspec.Struct():
            for name in value.__struct_fields__:
                settle_member(value, name, f"{path}/{name}", depth)
        case dict() | list():
            _settle_members(value, path, depth + 1)


def _check_text(value: str, path: str) -> None:
    """A password may contain anything but null: it is hashed and never shown."""
    if "\x00" in value:
        raise Invalid([FieldProblem(path, "expected a text without the null character")])
    if has_control(value) and not path.endswith("password"):
        raise Invalid([FieldProblem(path, "expected a text without control characters")])


def _settle_members(value: JsonObject | list[Any], path: str, depth: int) -> None:
    if depth > limits.json_depth_max:
        raise Invalid([FieldProblem(path, f"expected at most {limits.json_depth_max} levels of nesting")])
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        place = f"{path}/{key}"[: limits.header_value_chars_max]
        settle(key, place, depth)
        settle(member, place, depth)


def _in_utc(at: datetime, path: str) -> datetime:
    """The time in UTC: PostgreSQL accepts offsets up to 16 hours, RFC 3339 up to 24."""
    if at.tzinfo is None:
        raise Invalid([FieldProblem(path, "expected a time with a zone, such as 2026-01-31T09:00:00Z")])
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        # 0001-01-01T00:00:00+01:00 is before the year 1 in UTC.
        raise Invalid([FieldProblem(path, "expected a time of the years 1 to 9999 in UTC")]) from error
