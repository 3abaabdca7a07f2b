"""INSTALL.md as its reader runs it: the shell blocks of each step, in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "INSTALL.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A heading of the page and its shell blocks."""

    title: str
    blocks: tuple[str, ...]


def read_steps() -> list[Step]:
    """Read the page. Only shell blocks are permitted: the test could not run another one."""
    steps = []
    for part in re.split(r"^## (?:\d+\. )?", PAGE.read_text(), flags=re.MULTILINE):
        found = _BLOCK.findall(part)
        assert {kind for kind, _ in found} <= {"sh"}, "every block of INSTALL.md is a shell block"
        steps.append(Step(part.splitlines()[0], tuple(block for _, block in found)))
    return steps
