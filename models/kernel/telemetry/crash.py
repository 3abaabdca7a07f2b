"""Forced crashes for the fault tests: CRASH_AT names the point at which the process ends like a kill -9.

The points are those of ARCHITECTURE's failure matrix: after_commit, after_claim, before_call, after_call, after_effect,
after_finish.
"""

from __future__ import annotations

import os

from models.kernel import settings

POINTS = (
    "before_commit",
    "after_commit",
    "after_claim",
    "before_call",
    "after_call",
    "after_effect",
    "after_finish",
)


def point(name: str) -> None:
    """End the process here when CRASH_AT says so; nothing otherwise."""
    assert name in POINTS, name
    if settings.current().crash_at == name:
        os._exit(137)
