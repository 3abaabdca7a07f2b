"""A ticket's fields by the information model of its type. A type without a model takes any fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.identity import queries as identity
from models.infomodel import open_fields, published, values
from models.infomodel.definition import Entity
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.tickets import queries
from models.tickets.tables import Ticket


def fields_view(type_: str, fields: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Every declared field with its value or its kind's zero, and the names of those that have a value."""
    return values.view_values(published.find(type_), fields), values.filled(fields)


def validated_by_rule(type_: str, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> JsonObject:
    """All fields after a life cycle's `set`. Raises Invalid."""
    entity = published.find(type_)
    if entity is None:
        merged = {**before, **wanted}
        _check_open(merged, before, wanted)
        return merged
    return _validated(entity, wanted, before=before, role="automation", view=None, complete=False)


def _check_open(after: Mapping[str, Any], before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check the fields of a type without a model. Raises Invalid."""
    if found := open_fields.problems(after, before=before, wanted=wanted):
        raise Invalid(found)


def _person(text: str) -> str | None:
    """A user's id by id or e-mail address."""
    user_id = parse_id(text)
    if user_id is not None:
        return str(user_id) if identity.names_of({user_id}) else None
    user = identity.find_by_email(text)
    return str(user.id) if user is not None else None


def _ticket(text: str) -> str | None:
    """A ticket's id by id or number."""
    try:
        return str(queries.find(text).id)
    except NotFound:
        return None


def _validated(entity: Entity, wanted: Mapping[str, Any], **how: Any) -> JsonObject:
    return values.validated(entity, wanted, people=_person, tickets=_ticket, **how)


def workflow_of(type_: str) -> str:
    """The life cycle that new tickets of a type start on."""
    entity = published.find(type_)
    return entity.workflow if entity is not None else "support"


def new_fields(type_: str, wanted: Mapping[str, Any], *, role: str, priority: str) -> JsonObject:
    """The fields of a new ticket with their defaults.

    Raises Invalid for what is wrong and for what is required and missing.
    """
    entity = published.find(type_)
    if entity is None:
        _check_open(wanted, {}, wanted)
        return dict(wanted)
    view = {"ticket": {"type": type_, "priority": priority}}
    return _validated(entity, wanted, before={}, role=role, view=view, complete=role != "automation")


def defaults(type_: str) -> JsonObject:
    """Return the default field values of a ticket that is opened by a message instead of a form."""
    entity = published.find(type_)
    return {} if entity is None else _validated(entity, {}, before={}, role="automation", view=None, complete=False)


def fields_of_event(type_: str, given: Any) -> JsonObject:
    """Return the field values of a ticket that an event opens: the defaults and the event's values that fit the type.

    A value that does not fit does not refuse the message. Agents see it in the message's `details`.
    """
    fields = defaults(type_)
    entity = published.find(type_)
    if entity is None or not isinstance(given, Mapping):
        return fields
    for name, value in given.items():
        if name in entity.fields and value is not None:
            try:
                fields = _validated(entity, {name: value}, before=fields, role="automation", view=None, complete=False)
            except Invalid:
                continue
    return fields


def merged_fields(ticket: Ticket, wanted: Mapping[str, Any], *, role: str) -> JsonObject:
    """All fields when some change (null takes a value away). Raises Invalid."""
    _check_guards(ticket, ticket.type, wanted, role)
    entity = published.find(ticket.type)
    if entity is None:
        merged = {name: value for name, value in {**ticket.fields, **wanted}.items() if value is not None}
        _check_open(merged, ticket.fields, wanted)
        return merged
    return _validated(entity, wanted, before=ticket.fields, role=role, view=_view(ticket), complete=False)


def replaced_fields(ticket: Ticket, type_: str, wanted: Mapping[str, Any] | None, *, role: str) -> JsonObject:
    """All fields of a ticket when it has the type `type_` and `wanted` takes the place of what was.

    None keeps what the role may see. What the role may not see or edit stays. Raises Invalid.
    """
    before = ticket.fields
    # A role cannot intend to remove a value that it cannot see.
    concealed = hidden(type_, [ticket.type, *ticket.former_types], role)
    if wanted is None:
        wanted = {name: value for name, value in before.items() if name not in concealed}
    gone = {name: None for name in before if name not in wanted and name not in concealed}
    _check_guards(ticket, type_, {**gone, **wanted}, role)
    entity = published.find(type_)
    if entity is None:
        after = {name: before[name] for name in before if name in concealed} | dict(wanted)
        _check_open(after, before, wanted)
        return after
    return _validated(entity, {**gone, **wanted}, before=before, role=role, view=_view(ticket), complete=False)


def _check_guards(ticket: Ticket, type_: str, wanted: Mapping[str, Any], role: str) -> None:
    """Check changes against the models of the types that the ticket had before: a field keeps its guard.

    Raises Invalid.
    """
    problems = []
    for former in {ticket.type, *ticket.former_types} - {type_}:
        entity = published.find(former)
        for name, value in wanted.items() if entity is not None else ():
            field = entity.fields.get(name) if entity is not None else None
            reason = values.not_editable(field, name, value, ticket.fields, role) if field is not None else None
            if reason is not None:
                problems.append(FieldProblem(f"/fields/{name}", f"{reason} (a field of the former type {former})"))
    if problems:
        raise Invalid(problems)


def hidden(type_: str, former_types: Sequence[str], role: str) -> frozenset[str]:
    """The names of the fields that a role may not see, by the models of the type and of the former types."""
    found: frozenset[str] = frozenset()
    for one in {type_, *former_types}:
        found |= values.hidden(published.find(one), role)
    return found


def searchable(role: str) -> dict[str, tuple[str, ...]]:
    """The names of the fields that a search looks into, each with the types whose models hide it from the role."""
    types = published.all_types()
    names = sorted({name for one in types for name, field in one.fields.items() if field.searchable})
    return {name: tuple(one.name for one in types if name in values.hidden(one, role)) for name in names}


def _view(ticket: Ticket) -> JsonObject:
    return {"ticket": {"type": ticket.type, "priority": ticket.priority, "state": ticket.state}}
