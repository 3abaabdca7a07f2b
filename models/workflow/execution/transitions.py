"""Take a transition: the ticket's new state, the timers and SLA clocks that follow from it, and the transition's
effects.
"""

from __future__ import annotations

from models.workflow.acts import NO_REASON, ApprovalDecided, Moved, Reason, TimerStopped
from models.workflow.definition import Transition
from models.workflow.execution import effects, sla_promises, standing
from models.workflow.execution.run import Run
from models.workflow.instance import Event


def take(
    run: Run,
    name: str,
    transition: Transition,
    *,
    rule: str,
    event: str,
    comment: str | None = None,
    why: Reason = NO_REASON,
) -> None:
    """Take a transition that the guards allow: change the state, then run the transition's effects."""
    _move(run, transition.to, name, rule=rule, event=event, comment=comment, why=why)
    for effect in transition.do:
        effects.run(run, effect, rule=rule)


def enter_first(run: Run) -> None:
    """Put a new ticket into the initial state, with its timers and SLA clocks."""
    run.instance.state = run.workflow.initial
    run.instance.category = run.workflow.states[run.workflow.initial].category
    run.instance.state_since = run.context.now
    run.start_timers()
    sla_promises.follow(run)


def _move(run: Run, state: str, transition: str, *, rule: str, event: str, comment: str | None, why: Reason) -> None:
    ticket, before = run.instance, run.instance.state
    ticket.state, ticket.category = state, run.workflow.states[state].category
    ticket.state_since = run.context.now
    run.act(Moved(rule, why=why, from_=before, to=state, transition=transition, event=event, comment=comment))
    for name, timer in run.workflow.timers.items():
        was, runs = before in timer.in_, state in timer.in_
        if was and not runs and not timer.keep:
            run.act(TimerStopped(rule, timer=name))
        elif runs and not was and not timer.manual:
            run.start_timer(name, timer, rule=rule)
    withdraw_impossible(run)
    _lapse(run)
    sla_promises.follow(run)
    run.emit(Event("state_entered", state, before=before, after=state))


def _lapse(run: Run) -> None:
    """End the given approvals when the ticket is back at a state before them: they are asked for again."""
    for name in sorted(run.instance.approved):
        if standing.lapses_in(run.workflow, name, run.instance.state):
            run.instance.approved -= {name}
            run.act(ApprovalDecided(name, transition=name, outcome="lapsed"))


def withdraw_impossible(run: Run) -> None:
    """Cancel the approvals of transitions that do not start from the ticket's new state."""
    for name in list(run.instance.approvals):
        transition = run.workflow.transitions.get(name)
        if transition is None or not transition.starts_in(run.instance.state):
            del run.instance.approvals[name]
            run.act(ApprovalDecided(name, transition=name, outcome="cancelled"))
