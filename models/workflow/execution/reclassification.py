"""Moves a ticket whose type changed to the life cycle of its new type."""

from __future__ import annotations

from models.workflow.acts import Moved, TimerStopped
from models.workflow.definition import Workflow
from models.workflow.execution import sla_promises
from models.workflow.execution.run import Run
from models.workflow.execution.transitions import withdraw_impossible
from models.workflow.instance import Event, RuleTrace

RULE = "reclassify"
EVENT = "type_changed"


def arrival(new: Workflow, old: str, state: str, category: str) -> tuple[str, str]:
    """Return the state in which a ticket enters a life cycle from a state of another one, and the reason in words.

    The map of the new life cycle decides. Without an entry, a ticket that is done or closed stays so if the new life
    cycle has such a state; any other ticket starts in the initial state.
    """
    mapped = new.states_from.get(old, {}).get(state)
    if mapped is not None:
        return mapped, f"states_from maps {old}/{state} to {mapped}"
    if category in ("done", "closed"):
        same = next((name for name, one in new.states.items() if one.category == category), None)
        if same is not None:
            return (
                same,
                f"states_from has no entry for {old}/{state}; {same} is the first state that is {category}, too",
            )
    return new.initial, f"states_from has no entry for {old}/{state}; {new.initial} is the initial state"


def enter(run: Run, state: str, *, old: Workflow, type_: str, reason: str) -> None:
    """Put the ticket into a state of this life cycle: stop the timers of the old one, start those of the state."""
    ticket, before = run.instance, run.instance.state
    told = f"the life cycle of the type {type_} is {run.workflow.workflow}; {reason}"
    run.trace(RuleTrace(EVENT, RULE, "acted", reasons=(told,)))
    for name in old.timers:
        run.act(TimerStopped(RULE, timer=name))
    ticket.state, ticket.category = state, run.workflow.states[state].category
    ticket.state_since = run.context.now
    run.act(Moved(RULE, from_=before, to=state, transition=RULE, event=EVENT))
    run.start_timers()
    withdraw_impossible(run)
    sla_promises.follow(run, old=old)
    run.emit(Event("state_entered", state, before=before, after=state))
