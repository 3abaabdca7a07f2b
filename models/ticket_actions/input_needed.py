"""The input that a transition needs from its actor before it is taken: fields, a comment, a confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.infomodel import locks, published, values
from models.infomodel.definition import Field
from models.kernel.errors import Conflict
from models.ticket_workflow import steps
from models.tickets.ticket_change import TicketChange
from models.workflow.definition import TIME_SPENT
from models.workflow.engine import Option


class ConfirmationRequired(Conflict):
    """The transition asks its actor for a confirmation."""

    code = "confirmation_required"


@dataclass(frozen=True, slots=True)
class Needed:
    """The input that is missing: the names of fields in the order of the life cycle, a comment, a confirmation."""

    fields: tuple[str, ...]
    comment: bool
    confirm: bool

    def __bool__(self) -> bool:
        return bool(self.fields) or self.comment or self.confirm


def of_option(change: TicketChange, option: Option, *, role: str) -> Needed | None:
    """Return the input that a possible transition needs. None: the transition is impossible, whatever its actor gives.

    A required field that the role may not set, or that is locked now, makes the transition impossible.
    """
    if option.obstacles or any(field_for(change, name, role=role) is None for name in option.missing):
        return None
    wanted = option.transition
    return Needed(option.missing, wanted.comment == "required", wanted.confirm is not None)


def of_transition(change: TicketChange, name: str, *, role: str) -> Needed | None:
    """Return the input that the transition needs now; None for an impossible or unknown one."""
    options = (one for one in steps.options(change, role=role) if one.name == name)
    option = next(options, None)
    return None if option is None else of_option(change, option, role=role)


def field_for(change: TicketChange, name: str, *, role: str) -> Field | None:
    """Return the declaration of a field that the role may set now, else None. A type without a model takes any text."""
    if name == TIME_SPENT:
        return None  # minutes are no value of the ticket; its actor records them first
    ticket = change.ticket
    entity = published.find(ticket.type)
    if entity is None:
        return Field(kind="long_text", label={"en": name})
    field = entity.fields.get(name)
    if field is None:
        return Field(kind="long_text", label={"en": name}) if entity.takes_any_field else None
    if values.not_editable(field, name, _ANY, ticket.fields, role) or name in locks.locked(entity, ticket.state):
        return None
    view: Mapping[str, Any] = {"ticket": {"type": ticket.type, "priority": ticket.priority, "state": ticket.state}}
    return field if values.is_visible(entity, field, ticket.fields, view) else None


_ANY = object()
