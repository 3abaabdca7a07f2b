"""Conditions that are always true or never, of a wrong type, and reactions that an earlier one never lets act."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.expressions import checker, divisions, truth
from models.workflow import places
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Reaction, Workflow


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _types(subject)
    yield from _always(subject)
    yield from _divisions(subject)
    yield from _shadowed(subject)
    yield from _old_guards(subject)


def _types(subject: Subject) -> Iterator[Finding]:
    for place, text in places.conditions(subject.workflow):
        for problem in checker.check(text, subject.environment):
            yield error("wrong_condition", place, f"at character {problem.offset + 1}: {problem.message}")
    for place, text in places.values(subject.workflow):
        for problem in checker.check(text, subject.environment, wanted=None):
            yield error("wrong_condition", place, f"at character {problem.offset + 1}: {problem.message}")


def _divisions(subject: Subject) -> Iterator[Finding]:
    for place, text in (*places.conditions(subject.workflow), *places.values(subject.workflow)):
        for path in divisions.unguarded(text):
            told = f"{path} can be empty or 0, and the division fails then: ask for {path} > 0 in the same expression"
            yield warning("may_divide_by_zero", place, told)


def _always(subject: Subject) -> Iterator[Finding]:
    for place, text, states, event in _judged(subject.workflow):
        if text is not None:
            yield from _judge(subject, place, text, states, event)


def _judged(workflow: Workflow) -> Iterator[tuple[str, str | None, list[str] | None, str | None]]:
    """Place and text of each condition, the states in which it is asked, and the event; None where any counts."""
    for name, transition in workflow.transitions.items():
        starts = [state for state in workflow.states if transition.starts_in(state)]
        yield f".transitions.{name}.guard", transition.guard, starts, None
    for index, reaction in enumerate(workflow.reactions):
        yield f".reactions[{index}].when", reaction.when, reaction.in_, reaction.event
    for index, policy in enumerate(workflow.sla):
        yield f".sla[{index}].when", policy.when, None, None
    for place, effect in places.effects(workflow):
        yield f"{place}.when", effect.when, None, None


def _judge(subject: Subject, place: str, text: str, states: list[str] | None, event: str | None) -> Iterator[Finding]:
    said = truth.truth(text, subject.domains(states, event))
    if said is True:
        yield warning(
            "always_true",
            place,
            f"{text!r} is true for every ticket: remove the condition, or correct it",
        )
    elif said is False:
        yield error("never_true", place, f"{text!r} is never true, so this part has no effect: correct the condition")


def _shadowed(subject: Subject) -> Iterator[Finding]:
    seen: list[Reaction] = []
    for index, reaction in enumerate(subject.workflow.reactions):
        for earlier in seen:
            if not earlier.continue_ and _covers(subject, earlier, reaction):
                told = f"{earlier.name} stands before it and acts on every event that it is for: it never gets its turn; change the order"
                yield error("reaction_shadowed", f".reactions[{index}]", told)
                break
        else:
            if _covered_together(subject, seen, reaction):
                told = "the reactions before it leave it no event, so it never acts; change the order"
                yield error("reaction_shadowed", f".reactions[{index}]", told)
        seen.append(reaction)


def _covered_together(subject: Subject, earlier: list[Reaction], later: Reaction) -> bool:
    """Return True if in each of its states some earlier reaction matches whenever the later one does."""
    ends = [
        one for one in earlier if not one.continue_ and one.event == later.event and one.about in (None, later.about)
    ]
    states = later.in_ if later.in_ is not None else list(subject.workflow.states)
    return bool(ends) and all(_covered_in(subject, ends, later, state) for state in states)


def _covered_in(subject: Subject, ends: list[Reaction], later: Reaction, state: str) -> bool:
    here = [one for one in ends if one.in_ is None or state in one.in_]
    if any(one.when is None for one in here):
        return True
    wanted = [(str(one.when), False) for one in here]
    if later.when is not None:
        wanted.append((later.when, True))
    return bool(here) and truth.possible_together(wanted, subject.domains([state], later.event)) is False


def _covers(subject: Subject, earlier: Reaction, later: Reaction) -> bool:
    """Return True if the earlier reaction matches in every case in which the later one does."""
    if earlier.event != later.event or (earlier.about is not None and earlier.about != later.about):
        return False
    everywhere = set(subject.workflow.states)
    states = set(later.in_) if later.in_ is not None else everywhere
    if not states <= (set(earlier.in_) if earlier.in_ is not None else everywhere):
        return False
    if earlier.when is None or earlier.when == later.when:
        return True
    wanted = [(earlier.when, False), *([(later.when, True)] if later.when is not None else [])]
    return truth.possible_together(wanted, subject.domains(sorted(states), later.event)) is False


_OLD_GUARD = re.compile(r"""message\.automatic\s*==\s*(""|'')""")


def _old_guards(subject: Subject) -> Iterator[Finding]:
    """Warn of a move that asks whether the desk may answer, where the question is whether a machine wrote."""
    for index, reaction in enumerate(subject.workflow.reactions):
        if reaction.transition is not None and reaction.when is not None and _OLD_GUARD.search(reaction.when):
            told = (
                "message.automatic is also set for a person's mail through a list or a form, so their message does not"
                ' make this move: use `!message.by_machine` instead of `message.automatic == ""`'
            )
            yield warning("people_left_out", f".reactions[{index}].when", told)
