"""Checks of a transition: the reasons why it must not happen now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from models.expressions import conditions
from models.workflow.definition import TIME_SPENT, Transition
from models.workflow.execution.run import Run, is_assignee, not_evaluated
from models.workflow.instance import Actor, Instance

NOTHING_ASKED = conditions.Explanation(result=True, error=None, failed=(), values={})


def reasons(
    run: Run, name: str, transition: Transition, *, comment: str | None, asked: bool, decided: bool = False
) -> tuple[list[str], conditions.Explanation]:
    """Collect every reason against a transition, with the guard's explanation.

    `asked`: a person asked, so their role counts; a reaction acts as `automation`. `decided`: an approval decided, and
      the actor was checked before. `comment` is None when nobody asked for one.
    """
    ticket, actor = run.instance, run.context.actor if asked else Actor()
    explained = NOTHING_ASKED if transition.guard is None else run.explain(transition.guard)
    found = [
        _wrong_state(name, transition, ticket.state),
        None if decided else _wrong_actor(name, transition, actor, ticket),
        _no_comment(name, transition, comment),
        _no_values(run, name, transition),
        _waits_for_approval(name, ticket),
        _guard_fails(transition, explained),
    ]
    return [reason for reason in found if reason is not None], explained


def obstacles(run: Run, name: str, transition: Transition, given: Sequence[str]) -> list[str]:
    """Collect the reasons against a transition that a person's values of the fields `given` cannot remove.

    A guard that reads one of these fields is evaluated when the values are there.
    """
    ticket = run.instance
    reads = transition.guard is not None and any(_reads(transition.guard, field) for field in given)
    explained = NOTHING_ASKED if transition.guard is None or reads else run.explain(transition.guard)
    found = [
        _wrong_state(name, transition, ticket.state),
        _wrong_actor(name, transition, run.context.actor, ticket),
        _waits_for_approval(name, ticket),
        None if reads else _guard_fails(transition, explained),
    ]
    return [reason for reason in found if reason is not None]


def _reads(guard: str, field: str) -> bool:
    return re.search(rf"\bfields\s*(?:\.\s*|\[\s*[\"'])({re.escape(field)})\b", guard) is not None


def _wrong_state(name: str, transition: Transition, state: str) -> str | None:
    if not transition.starts_in(state) and transition.from_ != "any":
        return f"{name} starts from {', '.join(transition.from_)}; the ticket is {state}"
    if transition.to == state or not transition.starts_in(state):
        return f"the ticket is already {state}"
    return None


def _wrong_actor(name: str, transition: Transition, actor: Actor, ticket: Instance) -> str | None:
    if may(transition.who, actor, ticket):
        return None
    return f"{name} is for {', '.join(transition.who)}; you are {actor.role}"


def _no_comment(name: str, transition: Transition, comment: str | None) -> str | None:
    if transition.comment == "required" and comment is not None and not comment.strip():
        return f"{name} needs a comment"
    return None


def _no_values(run: Run, name: str, transition: Transition) -> str | None:
    missing = required(run, transition, empty=True)
    return f"{name} needs a value in {', '.join(missing)}" if missing else None


def _waits_for_approval(name: str, ticket: Instance) -> str | None:
    if name not in ticket.approvals:
        return None
    return f"{name} already waits for the approval of {ticket.approvals[name].team}"


def _guard_fails(transition: Transition, explained: conditions.Explanation) -> str | None:
    if transition.guard is None or explained.result:
        return None
    if explained.error is not None:
        return not_evaluated(transition.guard, explained)
    parts = " and ".join(repr(part) for part in explained.failed) or repr(transition.guard)
    return f"the condition {parts} does not hold{conditions.in_words(explained.values)}"


def may(who: list[str], actor: Actor, ticket: Instance) -> bool:
    """Return True if `who` of a transition names the actor: by role, as assignee, or by team."""
    return (
        actor.role in who
        or ("assignee" in who and is_assignee(actor, ticket))
        or any(f"team:{team}" in who for team in actor.teams)
    )


def required(run: Run, transition: Transition, *, empty: bool = False) -> list[str]:
    """Return the fields that a transition asks for: by its `requires` (also the time spent on the ticket), and by the
    information model in its target state. `empty`: only those without a value.
    """
    found = transition.requires
    if empty and found:
        _, filled = run.context.fields_view(run.instance.type, run.instance.fields)
        spent = {TIME_SPENT} if run.instance.minutes_spent else set()
        found = [name for name in found if name not in filled and name not in spent]
    return [*found, *(name for name in _newly_required(run, transition) if name not in found)]


def _newly_required(run: Run, transition: Transition) -> list[str]:
    """Return the empty fields that the model requires in the target state, but not in the current state."""
    ticket = run.instance
    if transition.to not in run.workflow.states or transition.to == ticket.state:
        return []
    entered = replace(ticket, state=transition.to, category=run.workflow.states[transition.to].category)
    before = run.context.missing(ticket)
    return [name for name in run.context.missing(entered) if name not in before]
