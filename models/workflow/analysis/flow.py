"""Where tickets can go: states that cannot be reached or left, transitions that nobody makes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Transition
from models.workflow.expressions import truth


def look(subject: Subject) -> Iterator[Finding]:
    yield from _nobody(subject)
    yield from _never(subject)
    ways = list(_ways(subject))
    yield from _unreachable(subject, ways)
    yield from _stuck(subject, ways)


def _ways(subject: Subject) -> Iterator[tuple[str, str]]:
    """The moves that somebody or something makes: (from, to)."""
    automatic, follow_ups = subject.automatic(), subject.follow_ups()
    for name, transition in subject.workflow.transitions.items():
        starts = set(subject.starts(transition))
        if transition.guard is not None and truth.truth(transition.guard, subject.domains(sorted(starts))) is False:
            starts = set()
        if not _people(subject, transition):
            by_reactions = [subject.acts_in(one) for _, one in automatic.get(name, ())]
            starts &= set().union(follow_ups.get(name, set()), *by_reactions)
        for state in sorted(starts):
            yield state, transition.to


def _people(subject: Subject, transition: Transition) -> bool:
    return any(who != "automation" and _is_known(subject, who) for who in transition.who)


def _is_known(subject: Subject, who: str) -> bool:
    return not who.startswith("team:") or subject.teams is None or who.removeprefix("team:") in subject.teams


def _nobody(subject: Subject) -> Iterator[Finding]:
    automatic, follow_ups = subject.automatic(), subject.follow_ups()
    for name, transition in subject.workflow.transitions.items():
        if not (_people(subject, transition) or name in automatic or name in follow_ups):
            told = "nobody may take this transition"
            if "automation" in transition.who:
                told = "only automation may take this transition, and no reaction and no approval does"
            elif transition.who:
                told = "only a team that does not exist may take this transition"
            told = f"{told}: name a role, a team or the assignee, or take it out"
            yield error("transition_nobody", f".transitions.{name}.who", told)
        elif name in automatic and "automation" not in transition.who:
            index, _ = automatic[name][0]
            told = f"the reaction asks for {name}, which is not for automation: it would always be refused; add automation to its `who`"
            yield error("transition_nobody", f".reactions[{index}].transition", told)


def _never(subject: Subject) -> Iterator[Finding]:
    for name, transition in subject.workflow.transitions.items():
        place = f".transitions.{name}.from"
        if not subject.starts(transition):
            told = f"no state is left by it, because it starts where it ends ({transition.to}): it can never be made; mend `from` or `to`"
            yield error("transition_never", place, told)
        elif transition.from_ != "any" and transition.to in transition.from_:
            told = f"a ticket that is {transition.to} already is not moved there: from that state it is always refused; take it out of `from`"
            yield warning("transition_never", place, told)


def _grown(reached: set[str], ways: Collection[tuple[str, str]]) -> set[str]:
    """The states that can be reached from some by the ways, these included."""
    after: dict[str, list[str]] = {}
    for start, end in ways:
        after.setdefault(start, []).append(end)
    found, todo = set(reached), list(reached)
    while todo:
        for end in after.get(todo.pop(), ()):
            if end not in found:
                found.add(end)
                todo.append(end)
    return found


def _unreachable(subject: Subject, ways: list[tuple[str, str]]) -> Iterator[Finding]:
    initial = subject.workflow.initial
    reached = _grown({initial}, ways)
    for state in subject.workflow.states:
        if state not in reached:
            told = f"no ticket can come into this state from {initial}: add a transition that somebody makes, or take the state out"
            yield error("unreachable_state", f".states.{state}", told)


def _stuck(subject: Subject, ways: list[tuple[str, str]]) -> Iterator[Finding]:
    states = subject.workflow.states
    final = {name for name, state in states.items() if state.category in ("done", "closed")}
    if not final:
        told = "no state is done or closed: a ticket would stay in work for ever; give the last state the category done"
        yield error("no_final_state", ".states", told)
        return
    good = _grown(final, [(end, start) for start, end in ways])
    left = {start for start, _ in ways}
    for state in states:
        if state not in good:
            what = "no state that is done or closed can be reached" if state in left else "nobody and nothing leads away"
            told = f"from here {what}: tickets would stay for ever; add a way out"
            yield error("cannot_reach_final", f".states.{state}", told)
