"""Findings of the checks, one line each: place, object, rule, field, expected and found value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    source: str  # file, or overlay when rendered
    line: int | None  # None in rendered manifests, whose lines exist in no file
    subject: str  # Kind/name
    rule: str
    path: Path
    message: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        parts = [place, self.subject, self.rule, dotted(self.path), self.message]
        return ": ".join(part for part in parts if part)


def dotted(path: Iterable[Step]) -> str:
    """`("spec", "triggers", 0, "metadata", "autoscaling.knative.dev/x")` as a reader would write it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif "." in step or "/" in step:
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text
