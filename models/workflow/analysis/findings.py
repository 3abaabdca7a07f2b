"""The findings of an analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable; `path` is the place in the definition; an error keeps it from being published, a warning does
    not.
    """

    code: str
    severity: Literal["error", "warning"]
    path: str
    message: str


def error(code: str, path: str, message: str) -> Finding:
    return Finding(code, "error", path, message)


def warning(code: str, path: str, message: str) -> Finding:
    return Finding(code, "warning", path, message)
