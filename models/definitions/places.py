"""The position of each part of a definition in its file, so that every message has file:line:column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from models.kernel.errors import FieldProblem

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a file, counted from 1. `inside`: a one-line scalar, so that an offset in its text is an offset in the
    line.
    """

    file: str
    line: int
    column: int
    inside: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(slots=True)
class Places:
    """Paths such as `.transitions.resolve.guard` and `.reactions[3].when` with the places of their values (of unknown
    keys: the key).
    """

    file: str
    known: dict[str, Place] = field(default_factory=dict)

    def note(self, node: yaml.Node, path: str = "", file: str | None = None) -> None:
        """Remember a composed tree; a shared node (an alias) is noted where it is used first."""
        stack: list[tuple[yaml.Node, str]] = [(node, path)]
        seen: set[int] = set()
        name = file or self.file
        while stack:
            one, at = stack.pop()
            inside = isinstance(one, yaml.ScalarNode) and one.start_mark.line == one.end_mark.line
            column = one.start_mark.column + 1 + (inside and getattr(one, "style", None) in ("'", '"'))
            self.known.setdefault(at, Place(name, one.start_mark.line + 1, column, inside))
            if id(one) in seen:
                continue
            seen.add(id(one))
            if isinstance(one, yaml.MappingNode):
                for key, value in one.value:
                    mark = key.start_mark
                    self.known.setdefault(f"{at}.{key.value}#", Place(name, mark.line + 1, mark.column + 1))
                    stack.append((value, f"{at}.{key.value}"))
            elif isinstance(one, yaml.SequenceNode):
                stack.extend((item, f"{at}[{index}]") for index, item in enumerate(one.value))

    def of(self, path: str, offset: int = 0) -> Place:
        """Return the place of a path, or of its nearest known parent; `offset` counts characters
        into a one-line text.
        """
        steps = [match[0] for match in _STEP.finditer(path)]
        while steps:
            found = self.known.get("".join(steps))
            if found is not None:
                return Place(found.file, found.line, found.column + offset) if offset and found.inside else found
            steps.pop()
            offset = 0
        return self.known.get("", Place(self.file, 1, 1))

    def key_of(self, path: str, key: str) -> Place:
        """Return the place of a key of the mapping at `path`."""
        return self.known.get(f"{path}.{key}#") or self.of(path)


_AT = re.compile(r"^(?:not a CEL condition: )?at character (\d+): ")
_UNKNOWN_KEY = re.compile(r"unknown field `([^`]+)`")


def located(problems: list[FieldProblem], places: Places) -> list[FieldProblem]:
    """Return the problems with `file:line:column: path` in place of the path."""
    found = []
    for problem in problems:
        offset = int(match[1]) - 1 if (match := _AT.match(problem.message)) else 0
        unknown = _UNKNOWN_KEY.search(problem.message)
        place = places.key_of(problem.path, unknown[1]) if unknown else places.of(problem.path, offset)
        where = f"{place}: {problem.path}" if problem.path else str(place)
        found.append(FieldProblem(where, problem.message))
    return found
