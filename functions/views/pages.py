"""Pagination of lists: an opaque cursor encodes the position after the last item."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.ids import parse_id

_NONE, _SOME = "-", "="
Limit = Annotated[int, msgspec.Meta(ge=1, le=limits.page_size_max)]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class PageQuery(msgspec.Struct, kw_only=True):
    """The parameters of every paginated list."""

    limit: Limit = limits.page_size_default
    cursor: Cursor | None = None


def encode(of: str, *position: object) -> str:
    """A cursor for a position (instants, numbers, ids) in the list called `of`."""
    values = [of, *(value.isoformat() if isinstance(value, datetime) else str(value) for value in position)]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()


def decode(cursor: str | None, of: str, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The position of a cursor, converted by `kinds`. Raises Invalid for a malformed cursor and one of another list."""
    if cursor is None:
        return None
    try:
        found, *values = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[str]
        )
        if found != of or len(values) != len(kinds):
            raise ValueError(f"a cursor of {found}")
        return tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError, OverflowError) as error:
        raise Invalid([FieldProblem("?cursor", "expected a next_cursor of this list")]) from error


def instant(text: str) -> datetime:
    """An instant in UTC. Raises ValueError, or OverflowError for one that UTC has no date for."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def text(value: str) -> str:
    """A text that a database can compare. Raises ValueError."""
    if "\x00" in value:
        raise ValueError(value)
    value.encode()
    return value


def optional(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """The conversion of a position's value that a row may lack; see `optional_text`."""
    return lambda value: None if value == _NONE else kind(value.removeprefix(_SOME))


def optional_text(value: object) -> str:
    """A position's value that a row may lack, as text for `encode`."""
    if value is None:
        return _NONE
    return value.isoformat() if isinstance(value, datetime) else f"{_SOME}{value}"


def number(text: str) -> int:
    """A number that fits a bigint. Raises ValueError."""
    value = int(text)
    if not 0 <= value < 2**63:
        raise ValueError(text)
    return value


def cut(
    items: Sequence[Any], limit: int, of: str, position: Callable[[Any], tuple[object, ...]]
) -> tuple[list[Any], str | None]:
    """The page of `limit` items out of up to limit+1 rows, and the cursor of the next page of the list `of`."""
    page = list(items[:limit])
    return page, encode(of, *position(page[-1])) if len(items) > limit else None


def id_of(text: str, what: str) -> UUID:
    """An id of a path. Raises NotFound for a malformed one, as for an unknown one."""
    from models.kernel.errors import NotFound

    found = parse_id(text)
    if found is None:
        raise NotFound(f"there is no {what} {text[:40]!r}")
    return found
