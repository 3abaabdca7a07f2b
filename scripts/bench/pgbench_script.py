"""Make a pgbench script from recorded statements: what differed between two requests becomes a value that pgbench
varies.

Fresh UUIDs keep UUIDv7's order (a counter in front, then the client), because random ones would scatter over the
indexes and make the limit look lower than it is. Pure.
"""

from __future__ import annotations

import re
from typing import Any

from scripts.bench.recorded import FIRST_NUMBER, NOW, Statement

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]{32}")
_PLACE = re.compile(r"%\((\w+)\)s")
FIRST_COUNT = 10_000_000  # eight digits: the first block of a UUID


class _Varied:
    """Replacements for the values of a request, the same for the same value throughout the script."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def uuid(self, found: str) -> str:
        at = len(self._known)
        return self._known.setdefault(found, f":bench_n-:bench_c-7000-8000-{at:012d}")

    def hex(self, found: str) -> str:
        at = len(self._known)
        # The variables come last: pgbench takes every letter and digit behind a name for more of the name.
        return self._known.setdefault(found, f"{at:020d}:bench_n:bench_c")

    def text(self, found: str) -> str:
        at = len(self._known)
        # As long as the recorded one: 12 digits stand for the variables.
        filling = "x" * max(0, len(found) - 12 - len(str(at)))
        return self._known.setdefault(found, f"{filling}{at}:bench_n:bench_c")


def script(first: list[Statement], second: list[Statement]) -> str:
    """The transaction as pgbench's `-f` takes it; run it with `-D bench_n=FIRST_COUNT + something new`."""
    fresh = _tokens(first) - _tokens(second)
    varied = _Varied()
    lines = [r"\set bench_n :bench_n + 1", r"\set bench_c 1000 + :client_id", "BEGIN;"]
    for one, other in zip(first, second, strict=True):
        values = {name: _literal(value, other.values[name], fresh, varied) for name, value in one.values.items()}
        text = _PLACE.sub(lambda m, values=values: values[m[1]], one.text).replace("%%", "%")  # type: ignore[misc]
        text = " ".join(text.split())
        # The program reads the ticket's number before it uses it; so does the script.
        lines.append(text + (r" \gset bench_" if "nextval(" in text and " AS number" in text else ";"))
    return "\n".join([*lines, "COMMIT;", ""])


def _tokens(statements: list[Statement]) -> set[str]:
    texts = [str(value) for statement in statements for value in statement.values.values()]
    return {token for text in texts for pattern in (_UUID, _HEX) for token in pattern.findall(text)}


def _literal(value: Any, other: Any, fresh: set[str], varied: _Varied) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == NOW:
        return "now()"
    if isinstance(value, int | float):
        return ":bench_number" if FIRST_NUMBER <= value < FIRST_NUMBER + 10 else repr(value)
    text = _vary(value, fresh, varied)
    unlike = value != other and text == value and not value.startswith(("{", "["))
    if unlike:  # a unique text that is neither an id nor JSON: an address, a bucket's name
        text = varied.text(value)
    return "'" + text.replace("'", "''") + "'"


def _vary(text: str, fresh: set[str], varied: _Varied) -> str:
    text = _UUID.sub(lambda m: varied.uuid(m[0]) if m[0] in fresh else m[0], text)
    text = _HEX.sub(lambda m: varied.hex(m[0]) if m[0] in fresh else m[0], text)
    return re.sub(rf"{FIRST_NUMBER // 10}\d", ":bench_number", text)
