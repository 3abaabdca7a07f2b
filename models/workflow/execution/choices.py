"""Choose the person who gets a ticket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from models.workflow.definition import Assign
from models.workflow.execution.run import Run
from models.workflow.instance import Candidate

named_max = 5  # people in the reason of an assignment that was withheld; a team may have hundreds


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


def available(run: Run, assign: Assign) -> tuple[list[Candidate], str]:
    """Return the candidates of an assignment who take tickets now, and the reason if there is none."""
    roster = run.context.assignable or run.context.roster
    known = list(roster(None if assign.how == "person" else assign.team))
    if assign.how == "person":
        known = [one for one in known if one.email == assign.user]
    if not known:
        return [], f"{assign.user or assign.team or 'the desk'} has nobody who could take it"
    reasons = ", ".join(f"{one.name} is {one.unavailable}" for one in known[:named_max])
    return [one for one in known if not one.unavailable], f"nobody takes new tickets: {reasons}"
