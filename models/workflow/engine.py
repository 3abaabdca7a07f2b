"""The engine: what follows from an event. Pure; the same input gives the same answer for ever.

A *person's* transition is allowed or refused with reasons (`request`). An *event* (a message, a timer) is answered by the first
reaction that matches (`react`); a reaction whose transition is not possible is a refusal, recorded like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.workflow import conditions
from models.workflow.definition import Effect, Reaction, Transition, Workflow


@dataclass(frozen=True, slots=True)
class View:
    """What conditions see: plain data, no rows."""

    ticket: dict[str, Any]
    message: dict[str, Any]
    actor: dict[str, Any]

    def names(self) -> dict[str, Any]:
        return {"ticket": self.ticket, "message": self.message, "actor": self.actor}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do. `rule` names the transition or reaction that acted; `target` is None when the state stays."""

    rule: str
    transition: str | None = None
    target: str | None = None
    effects: tuple[Effect, ...] = ()
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not; the reasons are sentences for people."""

    rule: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """A transition as a person sees it now: possible when there are no reasons against it."""

    name: str
    transition: Transition
    reasons: tuple[str, ...]


def options(workflow: Workflow, view: View) -> list[Option]:
    """Every transition that leaves the current state, possible or refused with reasons."""
    state = view.ticket["state"]
    return [
        Option(name, transition, tuple(_reasons(name, transition, view, comment=None)))
        for name, transition in workflow.transitions.items()
        if (transition.from_ == "any" or state in transition.from_) and transition.to != state
    ]


def request(workflow: Workflow, view: View, name: str, *, comment: str | None) -> Decision | Refusal:
    """Decide a person's wish to make the transition called `name`."""
    transition = workflow.transitions.get(name)
    if transition is None:
        return Refusal(name, (f"the life cycle has no transition {name!r}",))
    reasons = tuple(_reasons(name, transition, view, comment=comment or ""))
    if reasons:
        return Refusal(name, reasons)
    return Decision(name, name, transition.to, tuple(transition.do), transition.guard)


def react(
    workflow: Workflow, view: View, event: str, *, timer: str | None = None, signal: str | None = None
) -> Decision | Refusal | None:
    """What the event does: the decision of the first reaction that matches; None when nothing matches."""
    for reaction in workflow.reactions:
        if reaction.on != event or reaction.timer != timer or reaction.signal != signal:
            continue
        if reaction.in_ is not None and view.ticket["state"] not in reaction.in_:
            continue
        if reaction.when is not None:
            try:
                if not conditions.holds(reaction.when, view.names()):
                    continue
            except conditions.ConditionError as error:
                return Refusal(reaction.name, (f"condition {reaction.when!r} cannot be evaluated: {error}",))
        return _acted(workflow, reaction, view)
    return None


def _acted(workflow: Workflow, reaction: Reaction, view: View) -> Decision | Refusal:
    if reaction.transition is None:
        return Decision(reaction.name, effects=tuple(reaction.do), condition=reaction.when)
    transition = workflow.transitions[reaction.transition]
    reasons = tuple(_reasons(reaction.transition, transition, view, comment=None))
    if reasons:
        return Refusal(reaction.name, reasons)
    effects = (*reaction.do, *transition.do)
    return Decision(reaction.name, reaction.transition, transition.to, effects, reaction.when)


def _reasons(name: str, transition: Transition, view: View, *, comment: str | None) -> list[str]:
    """Everything that speaks against a transition now; `comment` is None when it is not asked for."""
    reasons = []
    state, role = view.ticket["state"], view.actor["role"]
    if transition.from_ != "any" and state not in transition.from_:
        reasons.append(f"{name} starts from {', '.join(transition.from_)}; the ticket is {state}")
    elif transition.to == state:
        reasons.append(f"the ticket is already {state}")
    if role not in transition.who:
        reasons.append(f"{name} is for {', '.join(transition.who)}; you are {role}")
    if transition.comment == "required" and comment is not None and not comment.strip():
        reasons.append(f"{name} needs a comment")
    if transition.guard is not None:
        try:
            if not conditions.holds(transition.guard, view.names()):
                reasons.append(f"the condition {transition.guard!r} does not hold")
        except conditions.ConditionError as error:
            reasons.append(f"the condition {transition.guard!r} cannot be evaluated: {error}")
    return reasons
