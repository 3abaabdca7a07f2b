"""Finds states that tickets cannot reach or leave, and transitions that nobody takes."""

from __future__ import annotations

from collections.abc import Iterator

from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Transition


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _nobody(subject)
    ways = [(start, end) for start, end, name, transition in subject.moves() if _somebody(subject, name, transition)]
    yield from _unreachable(subject, ways)
    yield from _stuck(subject, ways)
    yield from _approvals(subject)


def _somebody(subject: Subject, name: str, transition: Transition) -> bool:
    people = [who for who in transition.who if who != "automation" and _is_known(subject, who)]
    return bool(people) or name in subject.automatic() or name in subject.follow_ups()


def _is_known(subject: Subject, who: str) -> bool:
    return not who.startswith("team:") or subject.teams is None or who.removeprefix("team:") in subject.teams


def _nobody(subject: Subject) -> Iterator[Finding]:
    automatic = subject.automatic()
    for name, transition in subject.workflow.transitions.items():
        place = f".transitions.{name}"
        if not _somebody(subject, name, transition):
            told = "nobody may take this transition"
            if "automation" in transition.who:
                told = "only automation may take this transition, and no reaction and no approval does"
            yield error(
                "transition_nobody",
                f"{place}.who",
                f"{told}: name a role, a team or the assignee, or take it out",
            )
        elif name in automatic and "automation" not in transition.who:
            index, _ = automatic[name][0]
            told = f"the reaction asks for {name}, which is not for automation: it would always be refused; add automation to its `who`"
            yield error("transition_nobody", f".reactions[{index}].transition", told)
        starts = [state for state in subject.workflow.states if transition.starts_in(state)]
        if not starts or starts == [transition.to]:
            yield error(
                "transition_never",
                f"{place}.from",
                f"no state is left by it: it starts where it ends ({transition.to})",
            )


def _unreachable(subject: Subject, ways: list[tuple[str, str]]) -> Iterator[Finding]:
    arrivals = (one for states in subject.workflow.states_from.values() for one in states.values())
    reached, grown = {subject.workflow.initial, *arrivals}, True
    while grown:
        found = {end for start, end in ways if start in reached}
        grown = not found <= reached
        reached |= found
    for state in subject.workflow.states:
        if state not in reached:
            told = f"no ticket can come into this state from {subject.workflow.initial}: add a transition to it, or take it out"
            yield error("unreachable_state", f".states.{state}", told)


def _stuck(subject: Subject, ways: list[tuple[str, str]]) -> Iterator[Finding]:
    states = subject.workflow.states
    final = {name for name, state in states.items() if state.category in ("done", "closed")}
    if not final:
        yield error("no_final_state", ".states", "no state is done or closed: a ticket would stay in work for ever")
        return
    reached, grown = set(final), True
    while grown:
        found = {start for start, end in ways if end in reached}
        grown = not found <= reached
        reached |= found
    for state in states:
        if state not in reached:
            told = (
                "from here no state that is done or closed can be reached: tickets would stay for ever; add a way out"
            )
            yield error("cannot_reach_final", f".states.{state}", told)


def _approvals(subject: Subject) -> Iterator[Finding]:
    workflow = subject.workflow
    for name, transition in workflow.transitions.items():
        approval = transition.approval
        if approval is None:
            continue
        waits = [state for state in workflow.states if transition.starts_in(state)]
        for key, follows in approval.follow_ups.items():
            starts = [*waits, transition.to] if key == "withdrawn" else waits
            if not any(workflow.transitions[follows].starts_in(state) for state in starts):
                told = (
                    f"{follows} does not start from {', '.join(starts)}, where the approval is: it would never happen"
                )
                yield error("approval_follow_up", f".transitions.{name}.approval.{key}", told)
        if approval.expires is None:
            told = "this approval waits for ever; say when it `expires`, or tickets rest here unseen"
            yield warning("approval_for_ever", f".transitions.{name}.approval", told)
