"""The life of a given approval: it stands until the ticket is back at a state before it."""

from __future__ import annotations

from models.workflow.definition import Transition, Workflow


def lapses_in(workflow: Workflow, name: str, state: str) -> bool:
    """Return True if a given approval of a transition no longer stands in a state.

    It lapses in the states before it: those that a ticket can reach without the approved state, and from where it must
    ask for the approval again to go on. An approval of a transition that the life cycle does not have stands nowhere.
    """
    transition = workflow.transitions.get(name)
    return transition is None or transition.approval is None or state in _before(workflow, transition)


def _before(workflow: Workflow, approved: Transition) -> set[str]:
    ways = [
        (start, one.to)
        for one in workflow.transitions.values()
        for start in workflow.states
        if one.starts_in(start) and approved.to not in (start, one.to)
    ]
    reached = _closure({workflow.initial}, ways)
    asks = {state for state in workflow.states if approved.starts_in(state)}
    return reached & _closure(asks, [(end, start) for start, end in ways])


def _closure(found: set[str], ways: list[tuple[str, str]]) -> set[str]:
    grown = True
    while grown:
        more = {end for start, end in ways if start in found} - found
        grown = bool(more)
        found = found | more
    return found
