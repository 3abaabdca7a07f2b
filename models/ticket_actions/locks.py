"""Locks that keep what was approved: locked fields, and the type while fields are locked or an approval stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.infomodel import locks, published
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.ticket_workflow import steps
from models.tickets.ticket_change import TicketChange
from models.workflow import engine
from models.workflow.definition import Workflow
from models.workflow.execution import standing
from models.workflow.instance import Instance


class TypeLocked(Conflict):
    """The type cannot change while fields are locked or an approval stands."""

    code = "type_locked"


def check_fields(change: TicketChange, after: Mapping[str, Any], *, role: str) -> None:
    """Check that no locked field gets another value. A life cycle may set every field. Raises Invalid."""
    ticket = change.ticket
    entity = published.find(ticket.type)
    held = locks.changed(locks.locked(entity, ticket.state), ticket.fields, after)
    if not held or role == steps.AUTOMATION:
        return
    workflow = steps.workflow_of(change)
    instance = steps.instance_of(change, workflow)
    problems = []
    for name in held:
        ways = engine.ways_out(workflow, instance, _frees(entity.fields[name].locked_in if entity else ()))
        problems.append(FieldProblem(f"/fields/{name}", locks.reason(name, ticket.state, ways)))
    raise Invalid(problems)


def check_type(change: TicketChange, type_: str) -> None:
    """Check that nothing holds the ticket's type. Raises TypeLocked with the ways out."""
    ticket = change.ticket
    if type_ == ticket.type:
        return
    workflow = steps.workflow_of(change)
    instance = steps.instance_of(change, workflow)
    entity = published.find(ticket.type)
    held = [f"{name} is locked" for name in sorted(locks.locked(entity, ticket.state))]
    held += [f"the approval of {name} stands" for name in sorted(instance.approved)]
    held += [f"{name} waits for an approval" for name in sorted(instance.approvals)]
    if not held:
        return

    def is_free(state: str) -> bool:
        return not locks.locked(entity, state) and not _binds(workflow, instance, state)

    ways = " or ".join(engine.ways_out(workflow, instance, is_free))
    way = f"take {ways} first" if ways else "no transition ends that"
    raise TypeLocked(f"the type cannot change while the ticket is {ticket.state}: {', '.join(held)}; {way}")


def _frees(states: Any) -> Callable[[str], bool]:
    return lambda state: state not in states


def _binds(workflow: Workflow, instance: Instance, state: str) -> bool:
    """Return True if an approval that waits or stands now would still do so in a state."""
    waiting = (workflow.transitions[name] for name in instance.approvals if name in workflow.transitions)
    return any(one.starts_in(state) for one in waiting) or any(
        not standing.lapses_in(workflow, name, state) for name in instance.approved
    )
