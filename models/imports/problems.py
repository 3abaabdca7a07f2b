"""Parts of records that were not taken: where, what was found and what was expected.

The report shows names, numbers and words of closed lists. It shows no other text of the file, because the report is
kept and an erasure does not read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from models.imports import limits
from models.kernel.errors import FieldProblem
from models.kernel.open_json import JsonObject

Outcome = Literal["refused", "left_out"]
_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_FOUND = re.compile(r"^(?P<expected>Expected .*?), got (?P<found>.*)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a record. `path`: the member, as in `messages[3].author`; empty for the whole record."""

    path: str
    found: str
    expected: str
    outcome: Outcome = "refused"


class Refused(Exception):
    """The record is not taken, for these reasons."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("the record is refused")
        self.problems = problems


def word(value: object) -> str:
    """Return a word of a closed list as the report shows it."""
    return repr(str(value)[:60])


def size(value: object) -> str:
    """Describe a text without showing it."""
    return f"a text of {len(str(value))} characters"


def one_of(path: str, value: object, known: Iterable[str]) -> Problem:
    """Describe a word that is not in a list, with the list."""
    names = ", ".join(sorted(known)) or "none"
    return Problem(path, word(value), f"one of: {names}"[: limits.problem_chars_max])


def of_decoding(error: msgspec.DecodeError) -> Problem:
    """Translate msgspec's error. Its text names types and paths, and no value of the file."""
    text = str(error)
    at = _AT.search(text)
    path = at["path"].lstrip(".") if at else ""
    text = text[: at.start()] if at else text
    parts = _FOUND.match(text)
    if parts is None:
        return Problem(path, "another form", text[: limits.problem_chars_max])
    return Problem(path, parts["found"].replace("`", ""), parts["expected"].removeprefix("Expected ").replace("`", ""))


def of_fields(problems: Iterable[FieldProblem], path: str = "") -> list[Problem]:
    """Translate the problems of a checked value. Messages can quote the value, so only the part before it stays."""
    found = []
    for one in problems:
        expected = one.message.split(", found ")[0].removeprefix("expected ")
        place = path or one.path.lstrip("/").replace("/", ".")
        found.append(Problem(place, "another value", expected[: limits.problem_chars_max]))
    return found


def as_row(problem: Problem) -> JsonObject:
    return {
        "path": problem.path[: limits.problem_chars_max],
        "found": problem.found[: limits.problem_chars_max],
        "expected": problem.expected[: limits.problem_chars_max],
        "outcome": problem.outcome,
    }
