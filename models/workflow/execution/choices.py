"""Choose the person who gets a ticket, and say who could have got it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from models.kernel.open_json import JsonObject
from models.workflow.definition import Assign
from models.workflow.execution.run import Run
from models.workflow.instance import Candidate

named_max = 5  # people in the reason of an assignment that was withheld; a team may have hundreds
listed_max = 50  # people in the record of a choice; the record says how many there were
MANUAL: Final = "manual"
BY_TEAM: Final = "team_strategy"


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
# These compare the candidates with each other. Two choices at once would see the same numbers and choose the same
# person, so each waits for the one before it.
_COMPARING: Final = frozenset({"round_robin", "least_busy"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome of a strategy: the person, or the reason why there is none, and everybody who was considered."""

    strategy: str
    team: str | None
    chosen: Candidate | None
    lacking: str
    known: Sequence[Candidate]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why nobody was chosen."""
        return (self.lacking,) if self.lacking else ()

    @property
    def as_values(self) -> JsonObject:
        """Return the choice as the trace of a rule shows it, with the names of people."""
        candidates = [{"name": one.name, "open_tickets": one.open_tickets} for one in self._free]
        left_out = [{"name": one.name, "reason": one.unavailable} for one in self._left_out]
        return {
            "strategy": self.strategy,
            "team": self.team,
            "chosen": None if self.chosen is None else self.chosen.name,
            "considered": len(self.known),
            "candidates": candidates[:listed_max],
            "left_out": left_out[:listed_max],
        }

    @property
    def as_facts(self) -> JsonObject:
        """Return the choice as an event stores it, with the ids of people."""
        return {
            "strategy": self.strategy,
            "team": self.team,
            "candidates": [one.id for one in self._free[:listed_max]],
            "left_out": {one.id: one.unavailable for one in self._left_out[:listed_max]},
        }

    @property
    def _free(self) -> list[Candidate]:
        return [one for one in self.known if not one.unavailable]

    @property
    def _left_out(self) -> list[Candidate]:
        return [one for one in self.known if one.unavailable]


def of_effect(run: Run, assign: Assign) -> Choice:
    """Choose by an effect of a life cycle."""
    if assign.how != BY_TEAM:
        return choose(run, assign.how, assign.team, user=assign.user)
    team = assign.team or run.instance.team
    if not team:
        return Choice(BY_TEAM, None, None, "the ticket has no team", ())
    strategy = run.context.strategy(team)
    if strategy == MANUAL:
        return Choice(MANUAL, team, None, f"team {team} assigns its tickets by hand", ())
    return choose(run, strategy, team)


def choose(run: Run, strategy: str, team: str | None, *, user: str | None = None) -> Choice:
    """Choose among the people of a team, or of the whole desk, who take tickets now. `user`: an e-mail address."""
    assignable, by_name = run.context.assignable, strategy == "person"
    wanted = None if by_name else team
    known = list(assignable(wanted, strategy in _COMPARING) if assignable else run.context.roster(wanted))
    if by_name:
        known = [one for one in known if one.email == user]
    if not known:
        return Choice(strategy, team, None, f"{user or team or 'the desk'} has nobody who could take it", ())
    free = [one for one in known if not one.unavailable]
    if not free:
        reasons = ", ".join(f"{one.name} is {one.unavailable}" for one in known[:named_max])
        return Choice(strategy, team, None, f"nobody takes new tickets: {reasons}", known)
    return Choice(strategy, team, CHOICES[strategy](run, free), "", known)
