"""Paths into an event: a small part of JSONPath (RFC 9535), parsed once and evaluated in bounded time.

`$` is the event; `.name`, `['any name']`, `[0]` (`[-1]` is the last), `[*]` (every entry of a list, every value of an
object). There are no filters, no scripts and no `..`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from queues.described import limits

Path = tuple[str | int | None, ...]  # a name, an index, or None for `[*]`
_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*) | \[(?P<index>-?\d{1,6})\] | \[(?P<every>\*)\]
      | \['(?P<single>[^'\\]*)'\] | \["(?P<double>[^"\\]*)"\]""",
    re.VERBOSE,
)


class BadPath(ValueError):
    """The text is not a path; the message gives the place of the error."""


@lru_cache(maxsize=1024)
def read(text: str) -> Path:
    """Parse a path. Raises BadPath."""
    if len(text) > limits.path_chars_max:
        raise BadPath(f"expected at most {limits.path_chars_max} characters")
    if not text.startswith("$"):
        raise BadPath("expected a path that begins with $, such as $.message.text")
    steps: list[str | int | None] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise BadPath(f"cannot read {text[at : at + 20]!r}: expected .name, ['name'], [0] or [*]")
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["every"] is not None:
            steps.append(None)
        else:
            steps.append(next(found[k] for k in ("name", "single", "double") if found[k] is not None))
        at = found.end()
    if len(steps) > limits.path_steps_max:
        raise BadPath(f"expected at most {limits.path_steps_max} steps")
    return tuple(steps)


def every(path: Path, document: Any) -> list[Any]:
    """Return all values at the path, in order; at most `limits.values_max`."""
    found = [document]
    for step in path:
        following: list[Any] = []
        for value in found:
            following.extend(_below(value, step))
            if len(following) > limits.values_max:
                del following[limits.values_max :]
                break
        found = following
    return found


def first(path: Path, document: Any) -> Any:
    """Return the first value at the path, or None."""
    found = every(path, document)
    return found[0] if found else None


def _below(value: Any, step: str | int | None) -> list[Any]:
    if step is None:
        if isinstance(value, list):
            return value[: limits.values_max]
        return list(value.values())[: limits.values_max] if isinstance(value, dict) else []
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if isinstance(value, list) and -len(value) <= step < len(value):
        return [value[step]]
    return []
