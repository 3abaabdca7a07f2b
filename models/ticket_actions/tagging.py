"""Add and remove single tags. Commands join the caller's transaction, and a repetition changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.events.commands import Actor
from models.events.ticket_payloads import TicketUpdated
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.ticket_workflow import steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow.instance import Event


@dataclass(frozen=True, slots=True)
class TagEdit:
    """Tags to add behind the others, and tags to remove. A tag in both is removed."""

    add: Sequence[str] = ()
    remove: Sequence[str] = ()

    def of(self, before: Sequence[str]) -> list[str]:
        """Return the tags after the edit. Raises Invalid beyond the bound."""
        after = [tag for tag in dict.fromkeys([*before, *self.add]) if tag not in self.remove]
        if len(after) > max(limits.tags_max, len(before)):
            raise Invalid([FieldProblem("/tags", f"expected at most {limits.tags_max} tags, found {len(after)}")])
        return after


def resolved(changes: Mapping[str, Any], before: Sequence[str]) -> JsonObject:
    """Return the changes of a ticket with the tags as a whole list, where they are an edit of the present ones."""
    wanted = changes.get("tags")
    return {**changes, "tags": wanted.of(before)} if isinstance(wanted, TagEdit) else dict(changes)


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
