"""Runs the reactions of a definition to events, in their order. The first that matches acts."""

from __future__ import annotations

from models.expressions import conditions
from models.workflow.acts import Reason, Refused, TimerStarted, Unmatched
from models.workflow.definition import NAMED_EVENTS, Reaction
from models.workflow.execution import approvals, effects, guards, team_assignment, transitions
from models.workflow.execution.run import Run, not_evaluated
from models.workflow.instance import Event, RuleTrace


def drain(run: Run) -> None:
    """Run the reactions to every event of the step, in the order of the events.

    A team that the ticket enters assigns it after them, because a life cycle may choose the team or the assignee. It
    does so once in a step: a reaction to the assignment that moves the ticket again cannot make a loop.
    """
    _drain_events(run)
    if team_assignment.is_due(run):
        team_assignment.assign(run)
        _drain_events(run)


def _drain_events(run: Run) -> None:
    while (event := run.next_event()) is not None:
        if event.type == "field_changed":
            approvals.withdraw(run, event.name)
            run.follow_date(event.name)
        team_assignment.note(run, event)
        react(run, event)


def react(run: Run, event: Event) -> None:
    """Run the reactions to one event. The first that matches acts and ends the search, unless it says `continue`."""
    ended = matched = False
    for reaction in run.workflow.reactions:
        if not is_about(reaction, event):
            continue
        if ended:
            run.trace(RuleTrace(event.type, reaction.name, "not_reached", reaction.when))
            continue
        explained = _matches(run, reaction, event)
        if explained is None:
            continue
        matched, ended = True, not reaction.continue_
        _act(run, reaction, event, explained)
    if not matched and event.type in run.workflow.unmatched:
        run.act(Unmatched("engine", event=event.type, name=event.name))


def is_about(reaction: Reaction, event: Event) -> bool:
    if reaction.event != event.type:
        return False
    about = reaction.about
    return about is None or event.type not in NAMED_EVENTS or about == event.name


def _matches(run: Run, reaction: Reaction, event: Event) -> conditions.Explanation | None:
    """Explain the condition of a reaction that matches; otherwise add a trace that says why not, and return None."""
    state = run.instance.state
    if reaction.in_ is not None and state not in reaction.in_:
        reason = f"it is for {', '.join(reaction.in_)}; the ticket is {state}"
        run.trace(RuleTrace(event.type, reaction.name, "silent", reaction.when, reasons=(reason,)))
        return None
    if reaction.when is None:
        return guards.NOTHING_ASKED
    explained = run.explain(reaction.when)
    if explained.result:
        return explained
    if explained.error is not None:
        reasons = (not_evaluated(reaction.when, explained),)
        run.trace(
            RuleTrace(
                event.type,
                reaction.name,
                "refused",
                reaction.when,
                explained.failed,
                explained.values,
                reasons,
            )
        )
        run.act(Refused(reaction.name, event=event.type, transition=reaction.transition, reasons=reasons))
        return None
    run.trace(RuleTrace(event.type, reaction.name, "silent", reaction.when, explained.failed, explained.values))
    return None


def _act(run: Run, reaction: Reaction, event: Event, explained: conditions.Explanation) -> None:
    why = Reason(reaction.when, explained.values)
    if reaction.transition is None:
        run.trace(RuleTrace(event.type, reaction.name, "acted", reaction.when, (), explained.values))
        for effect in reaction.do:
            effects.run(run, effect, rule=reaction.name, why=why)
        return
    transition = run.workflow.transitions[reaction.transition]
    found, guarded = guards.reasons(run, reaction.transition, transition, comment=None, asked=False)
    if not found and (veto := run.context.veto(transition.to)) is not None:
        found = [veto]
        if event.type == "timer":
            # Fires again immediately. The next task runs after the one that vetoed it; a state change cancels it.
            again = TimerStarted(reaction.name, timer=event.name, due_at=run.context.now, count=event.count)
            run.act(again)
    if found:
        values = {**explained.values, **guarded.values}
        run.trace(
            RuleTrace(event.type, reaction.name, "refused", transition.guard, guarded.failed, values, tuple(found))
        )
        refused = Refused(
            reaction.name, why=why, event=event.type, transition=reaction.transition, reasons=tuple(found)
        )
        run.act(refused)
        return
    run.trace(RuleTrace(event.type, reaction.name, "acted", reaction.when, (), explained.values))
    for effect in reaction.do:
        effects.run(run, effect, rule=reaction.name, why=why)
    if transition.approval is not None:
        approvals.ask(run, reaction.transition, transition.approval, comment=None, why=why)
    else:
        transitions.take(run, reaction.transition, transition, rule=reaction.name, event=event.type, why=why)
