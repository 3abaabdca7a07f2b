"""The engine: decides what follows from an event. It is pure; the same input always gives the same result.

`request` takes a *person's* transition or refuses it with reasons. `react` answers an *event* (a message, a timer) with
the reactions of the definition, in their order. Consequences of acts (a changed field, an entered state) are events of
the same step, up to a bound. The engine reads no clock, no database and no random source: `Context` brings them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.workflow.acts import Reason, Refused
from models.workflow.definition import Transition, Workflow
from models.workflow.execution import (
    approvals,
    carried_timers,
    guards,
    reactions,
    reclassification,
    sla_promises,
    transitions,
)
from models.workflow.execution.carried_timers import Remembered, Timers
from models.workflow.execution.run import Run
from models.workflow.instance import Context, Event, Instance, RuleTrace, Step

AUTOMATION = "automation"


@dataclass(frozen=True, slots=True)
class Option:
    """A transition as a person sees it now: possible when there are no reasons against it.

    `requires`: the fields that must have a value, by the transition and by the information model. `missing`: those
    without a value. `obstacles`: the reasons that remain when these get values; a guard that reads one of them is not
    an obstacle yet.
    """

    name: str
    transition: Transition
    reasons: tuple[str, ...]
    requires: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def options(workflow: Workflow, instance: Instance, context: Context) -> list[Option]:
    """Every transition that leaves the current state, possible or refused with reasons."""
    run = Run(workflow, instance, context)
    return [
        _option(run, name, transition)
        for name, transition in workflow.transitions.items()
        if transition.starts_in(instance.state)
    ]


def _option(run: Run, name: str, transition: Transition) -> Option:
    reasons = tuple(guards.reasons(run, name, transition, comment=None, asked=True)[0])
    missing = tuple(guards.required(run, transition, empty=True)) if reasons else ()
    obstacles = tuple(guards.obstacles(run, name, transition, missing)) if missing else reasons
    return Option(name, transition, reasons, tuple(guards.required(run, transition)), missing, obstacles)


def ways_out(workflow: Workflow, instance: Instance, is_free: Callable[[str], bool]) -> list[str]:
    """The transitions that leave the current state for a state that is free."""
    return [name for name, one in workflow.transitions.items() if one.starts_in(instance.state) and is_free(one.to)]


def start(workflow: Workflow, instance: Instance, context: Context) -> Step:
    """Put a new ticket into the initial state and start its timers and clocks. `ticket_created` is a separate event."""
    run = Run(workflow, instance, context)
    transitions.enter_first(run)
    return run.end()


def request(
    workflow: Workflow,
    instance: Instance,
    context: Context,
    name: str,
    *,
    comment: str | None = None,
    fields: dict[str, object] | None = None,
) -> Step:
    """Take the transition `name` on a person's request, with changed fields (already valid) if any.

    A refused request changes nothing: the step has one act `refused` and the unchanged instance.
    """
    run = Run(workflow, instance, context)
    transition = workflow.transitions.get(name)
    if transition is None:
        return _refusal(instance, name, (f"the life cycle has no transition {name!r}",), ())
    for field, value in (fields or {}).items():
        run.set_field(field, value, rule=name)
        # Before the guards: what was approved must not change on the way through the approved transition.
        approvals.withdraw(run, field)
    found, explained = guards.reasons(run, name, transition, comment=comment or "", asked=True)
    if not found and (veto := context.veto(transition.to)) is not None:
        found = [veto]
    if found:
        trace = RuleTrace(
            "request", name, "refused", transition.guard, explained.failed, explained.values, tuple(found)
        )
        return _refusal(instance, name, tuple(found), (trace,))
    run.trace(RuleTrace("request", name, "acted", transition.guard, (), explained.values))
    why = Reason(transition.guard, explained.values)
    if transition.approval is not None:
        approvals.ask(run, name, transition.approval, comment=comment, why=why)
    else:
        transitions.take(run, name, transition, rule=name, event="request", comment=comment, why=why)
    reactions.drain(run)
    return run.end()


def _refusal(instance: Instance, name: str, reasons: tuple[str, ...], traces: tuple[RuleTrace, ...]) -> Step:
    act = Refused(name, event="request", transition=name, reasons=reasons)
    return Step(instance, (act,), traces or (RuleTrace("request", name, "refused", reasons=reasons),))


def react(workflow: Workflow, instance: Instance, context: Context, event: Event) -> Step:
    """Run the reactions of the definition to an event, and update the ticket's clocks and timers."""
    run = Run(workflow, instance, context)
    if event.type == "timer" and not run.timer_stands(event):
        return run.end()
    if event.type == "agent_reply":
        sla_promises.meet_response(run)
    run.emit(event)
    reactions.drain(run)
    if event.type == "requester_message":
        sla_promises.promise_response(run)  # after the reactions: a message that reopens the ticket asks for an answer
    return run.end()


def clock_due(workflow: Workflow, instance: Instance, context: Context, target: str) -> Step:
    """An SLA clock's timer went off: a warning or a breach, if the clock still says so."""
    run = Run(workflow, instance, context)
    sla_promises.fire_clock(run, target)
    reactions.drain(run)
    return run.end()


def vote(
    workflow: Workflow, instance: Instance, context: Context, name: str, *, vote: str, comment: str | None
) -> Step:
    """A member of the team approves or refuses the transition that waits; the last needed vote makes it.

    A vote that does not count (not a member, voted already, own wish) is a refusal.
    """
    run = Run(workflow, instance, context)
    reasons = approvals.objections(run, name)
    if reasons:
        return _refusal(instance, name, reasons, ())
    approvals.count(run, name, vote, comment)
    reactions.drain(run)
    return run.end()


def approval_expired(workflow: Workflow, instance: Instance, context: Context, name: str) -> Step:
    """The time for an approval is over; nothing happens when it was decided or is not over yet."""
    run = Run(workflow, instance, context)
    approvals.expire(run, name)
    reactions.drain(run)
    return run.end()


def touched(workflow: Workflow, instance: Instance, context: Context, events: list[Event]) -> Step:
    """React to a person's change of the ticket (fields, priority, type): update clocks, run
    `field_changed` reactions.
    """
    run = Run(workflow, instance, context)
    sla_promises.follow(run)
    for event in events:
        run.emit(event)
    reactions.drain(run)
    return run.end()


def reclassified(
    workflow: Workflow,
    instance: Instance,
    context: Context,
    state: str,
    *,
    old: Workflow,
    reason: str,
    events: list[Event],
) -> Step:
    """Let a ticket whose type changed enter a state of this life cycle, and run its reactions to the change.

    `reason`: why it is this state; it becomes part of the trace.
    """
    run = Run(workflow, instance, context)
    reclassification.enter(run, state, old=old, type_=instance.type, reason=reason)
    for event in events:
        run.emit(event)
    reactions.drain(run)
    return run.end()


def moved_to_version(
    workflow: Workflow, instance: Instance, context: Context, state: str, *, old: Workflow, timers: Timers
) -> tuple[Step, Remembered]:
    """Move a ticket to this version from another version or life cycle: carry its timers and clocks, run no rule.

    The time already spent in the state counts for a timer that the old version lacks; an overdue one fires now.
    Returns also the timers that the next migration of the ticket has to remember.
    """
    run = Run(workflow, replace(instance, state=state, category=workflow.states[state].category), context)
    remembered = carried_timers.carry(run, old, instance.state, timers)
    transitions.withdraw_impossible(run)
    sla_promises.follow(run, old=old)
    return run.end(), remembered
