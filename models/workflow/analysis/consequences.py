"""Rules whose consequences never happen, or never end: transitions that cannot start, calls and tickets in a circle."""

from __future__ import annotations

from collections.abc import Iterator

from models.workflow.analysis.facts import unseen
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.loops import way_back
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Effect, LinkedTicket, Reaction


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _never_starts(subject)
    yield from _approval_circle(subject)
    yield from _calls_again(subject)
    yield from _breeds(subject)
    yield from _no_promise(subject)
    yield from _unseen_fields(subject)


def _never_starts(subject: Subject) -> Iterator[Finding]:
    """Find reactions whose transition starts in none of the states in which they act."""
    workflow = subject.workflow
    for index, reaction in enumerate(workflow.reactions):
        if reaction.transition is None:
            continue
        states = set(reaction.in_) if reaction.in_ is not None else set(workflow.states)
        if reaction.event == "state_entered" and reaction.about is not None:
            states &= {reaction.about}
        timer = workflow.timers.get(reaction.about or "") if reaction.event == "timer" else None
        if timer is not None and timer.in_ and not timer.keep:
            states &= set(timer.in_)
        moved = workflow.transitions[reaction.transition]
        if not any(moved.starts_in(state) for state in states):
            where = ", ".join(sorted(states)) or "any state"
            told = f"{reaction.transition} does not start in {where}: it would never happen"
            yield error("transition_cannot_start", f".reactions[{index}].transition", told)


# A withdrawal is left out: a person's change of a field stands between.
_ENDS = ("refused", "expired")


def _approval_circle(subject: Subject) -> Iterator[Finding]:
    """Find approvals whose end asks for the approval again, without a person in between."""
    workflow = subject.workflow
    graph: dict[str, list[str]] = {name: [] for name in workflow.transitions}
    for name, transition in workflow.transitions.items():
        if transition.approval is not None:
            ends = transition.approval.follow_ups
            graph[name] += [ends[key] for key in _ENDS if key in ends]
    for reaction in workflow.reactions:
        if reaction.transition is None:
            continue
        if reaction.event in [f"approval_{key}" for key in _ENDS]:
            asked = (
                [reaction.about]
                if reaction.about in graph
                else [n for n, t in workflow.transitions.items() if t.approval]
            )
            for name in asked:
                graph[str(name)].append(reaction.transition)
        if reaction.event == "state_entered":
            for name, transition in workflow.transitions.items():
                if reaction.about in (None, transition.to):
                    graph[name].append(reaction.transition)
    for name, transition in workflow.transitions.items():
        if transition.approval is not None and (circle := way_back(graph, name)) is not None:
            told = (
                f"{' -> '.join([*circle, name])}: its end asks for it again without anybody; let a person stand between"
            )
            yield error("approval_circle", f".transitions.{name}.approval", told)


def _all_effects(subject: Subject, reaction: Reaction) -> list[Effect]:
    moved = subject.workflow.transitions[reaction.transition].do if reaction.transition is not None else []
    return [*reaction.do, *moved]


def _calls_again(subject: Subject) -> Iterator[Finding]:
    for index, reaction in enumerate(subject.workflow.reactions):
        if reaction.event != "webhook_failed":
            continue
        for effect in _all_effects(subject, reaction):
            if effect.webhook is not None and reaction.about in (None, effect.webhook):
                told = f"a failed call of {effect.webhook} calls it again after days of repeats; notify somebody"
                yield error("webhook_loop", f".reactions[{index}]", told)


def _breeds(subject: Subject) -> Iterator[Finding]:
    """Find tickets of this life cycle that make tickets of this life cycle as soon as they are there."""
    for index, reaction in enumerate(subject.workflow.reactions):
        if reaction.event not in ("ticket_created", "linked_ticket_done"):
            continue
        for effect in _all_effects(subject, reaction):
            made = effect.create_ticket
            if made is None or not _is_of_this(subject, made):
                continue
            told = "each new ticket makes another one of this life cycle: name another type, or narrow `when`"
            sure = reaction.when is None and effect.when is None
            yield (error if sure else warning)("tickets_breed", f".reactions[{index}]", told)


def _is_of_this(subject: Subject, made: LinkedTicket) -> bool:
    if made.workflow is not None:
        return made.workflow == subject.workflow.workflow
    known = (subject.types or {}).get(made.type)
    return known.workflow == subject.workflow.workflow if known is not None else made.type in subject.workflow.types


def _no_promise(subject: Subject) -> Iterator[Finding]:
    promised = {target for policy in subject.workflow.sla for target in policy.targets}
    for index, reaction in enumerate(subject.workflow.reactions):
        if reaction.event not in ("sla_warning", "sla_breached"):
            continue
        if not promised or (reaction.about is not None and reaction.about not in promised):
            told = f"no SLA policy promises {reaction.about or 'anything'}: this reaction never acts"
            yield error("sla_without_policy", f".reactions[{index}]", told)


def _unseen_fields(subject: Subject) -> Iterator[Finding]:
    for place, entity, field, roles in unseen(subject):
        told = (
            f"{', '.join(roles)} may make this transition and cannot fill in {entity.name}.{field}, which it requires"
        )
        yield error("required_field_unseen", place, told)
