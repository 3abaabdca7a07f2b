"""Locks that keep what was approved: locked fields, and the type while fields are locked or an approval stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.infomodel import locks, published
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.ticket_workflow import steps, type_locks
from models.tickets.ticket_change import TicketChange
from models.workflow import engine


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
    reason = type_locks.refusal(workflow, steps.instance_of(change, workflow))
    if reason is not None:
        raise TypeLocked(reason)


def _frees(states: Any) -> Callable[[str], bool]:
    return lambda state: state not in states
