"""Run a verb as an operator does: a process of its own, with this test's environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_timeout_s = 60.0  # a verb takes a second; a machine under load gets a minute


def run_verb(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m scripts.<name> ...` from the repository's root."""
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{name}", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )
