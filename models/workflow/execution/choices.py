"""Choose the person who gets a ticket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from models.workflow.execution.run import Run
from models.workflow.instance import Candidate


def _never(one: Candidate) -> tuple[bool, str]:
    return (one.assigned_at is not None, one.assigned_at.isoformat() if one.assigned_at else "")


def _by_chance(run: Run, candidates: list[Candidate]) -> Candidate:
    """Drawn from the event, not from a generator: a replay draws the same."""
    drawn = hashlib.sha256(f"{run.context.seed}:{run.instance.number}".encode()).digest()
    return candidates[int.from_bytes(drawn[:8]) % len(candidates)]


CHOICES: dict[str, Callable[[Run, list[Candidate]], Candidate]] = {
    "person": lambda run, candidates: candidates[0],
    "round_robin": lambda run, candidates: min(candidates, key=lambda one: (*_never(one), one.id)),
    "least_busy": lambda run, candidates: min(candidates, key=lambda one: (one.open_tickets, *_never(one), one.id)),
    "random": _by_chance,
}
