"""Finds the life cycle of a ticket's new type, and tells why a life cycle may not change the type now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.publishing import workflows
from models.ticket_workflow import type_locks
from models.tickets import ticket_fields
from models.tickets.ticket_change import TicketChange
from models.workflow.definition import Workflow, WorkflowVersion
from models.workflow.instance import Instance


def target_of(type_: str, workflow: str) -> WorkflowVersion | None:
    """Return the version that a ticket of the type moves to, or None if it is on that life cycle already."""
    name = ticket_fields.workflow_of(type_)
    return None if name == workflow else workflows.newest(name)


def check_priority(change: TicketChange, changes: Mapping[str, Any]) -> None:
    """Check the priority after a change against the life cycle that the ticket has after it. Raises Invalid."""
    ticket = change.ticket
    target = target_of(changes["type"], ticket.workflow) if "type" in changes else None
    if target is None and "priority" not in changes:
        return
    version = target or workflows.of_version(ticket.workflow, ticket.workflow_version)
    allowed, priority = version.definition.priorities, changes.get("priority", ticket.priority)
    if priority not in allowed:
        raise Invalid([FieldProblem("/priority", f"expected one of {', '.join(allowed)}, found {priority!r}")])


def retyped(change: TicketChange, workflow: Workflow, ticket: Instance, type_: str) -> JsonObject:
    """Return all fields of a ticket that gets another type by an effect. Raises Invalid when it cannot get it now."""
    ticket_fields.check_type(type_)
    target = target_of(type_, change.ticket.workflow)
    if (reason := type_locks.refusal(workflow, ticket)) is not None:
        raise Invalid([FieldProblem("/type", reason)])
    if target is not None and change.is_reclassified:
        raise Invalid([FieldProblem("/type", "the ticket changes its life cycle once in a step, and has just done so")])
    if target is not None and ticket.priority not in target.definition.priorities:
        told = f"the life cycle {target.definition.workflow} has no priority {ticket.priority!r}"
        raise Invalid([FieldProblem("/priority", told)])
    return ticket_fields.retyped_by_rule(ticket, type_)
