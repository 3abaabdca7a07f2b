"""Add and remove single tags. Commands join the caller's transaction, and a repetition changes nothing."""

from __future__ import annotations

from uuid import UUID

from models.events.commands import Actor
from models.events.ticket_payloads import TicketUpdated
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.ticket_workflow import steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import Event


def add(ticket_id: UUID, tag: str, *, actor: Actor, role: str) -> Ticket:
    """Add a tag behind the others. Raises Invalid beyond the bound."""
    change = TicketChange.of(ticket_id, actor=actor)
    before = list(change.ticket.tags)
    if tag in before:
        return change.ticket
    if len(before) >= limits.tags_max:
        raise Invalid([FieldProblem("/tag", f"expected at most {limits.tags_max} tags, found {len(before)}")])
    return _set(change, before, [*before, tag], role)


def remove(ticket_id: UUID, tag: str, *, actor: Actor, role: str) -> Ticket:
    """Remove a tag."""
    change = TicketChange.of(ticket_id, actor=actor)
    before = list(change.ticket.tags)
    if tag not in before:
        return change.ticket
    return _set(change, before, [one for one in before if one != tag], role)


def _set(change: TicketChange, before: list[str], after: list[str], role: str) -> Ticket:
    change.record(TicketUpdated(changes={"tags": {"from": before, "to": after}}))
    change.ticket.tags = after
    steps.touched(change, [Event("field_changed", "tags", before=before, after=after)], role=role)
    return change.save()
