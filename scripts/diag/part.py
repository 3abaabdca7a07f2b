"""One part of the page."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.kernel.open_json import JsonObject


@dataclass(slots=True)
class Part:
    """One part of the report: `lines` for people, `facts` for programs, `problems` that need a person."""

    name: str
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    facts: JsonObject = field(default_factory=dict)

    def problem(self, line: str) -> None:
        """A problem that does not end without an action."""
        self.problems.append(line)
