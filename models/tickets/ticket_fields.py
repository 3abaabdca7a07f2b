"""A ticket's fields by the information model of its type. A type without a model takes any fields, and no new
tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from models.identity import queries as identity
from models.infomodel import open_fields, published, values
from models.infomodel.definition import Entity
from models.infomodel.normal_form import Lookups
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.tickets import queries
from models.tickets.tables import Ticket
from models.workflow.instance import Instance


def fields_view(type_: str, fields: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Every declared field with its value or its kind's zero, and the names of those that have a value."""
    return values.view_values(published.find(type_), fields), values.filled(fields)


def validated_by_rule(ticket: Instance, wanted: Mapping[str, Any]) -> JsonObject:
    """All fields after a life cycle's `set`. Raises Invalid."""
    entity = published.find(ticket.type)
    if entity is None:
        return _open_fields(ticket.fields, wanted)
    return _validated(
        entity, wanted, before=ticket.fields, role="automation", view=ticket.model_view(), complete=False, fresh=False
    )


def retyped_by_rule(ticket: Instance, type_: str) -> JsonObject:
    """All fields after a life cycle gave the ticket another type: defaults are filled in, other values stay.

    Raises Invalid.
    """
    entity = published.find(type_)
    if entity is None:
        return dict(ticket.fields)
    kept = {name: value for name, value in ticket.fields.items() if name in entity.fields}
    view = replace(ticket, type=type_).model_view()
    return _validated(entity, kept, before=ticket.fields, role="automation", view=view, complete=False, fresh=True)


def check_new_by_rule(type_: str, wanted: Mapping[str, Any], priority: str) -> None:
    """Check the fields of a ticket that a rule makes: as a person's, with everything that the model requires.

    Raises Invalid.
    """
    check_type(type_)
    entity = published.find(type_)
    if entity is None:
        _check_open(wanted, {}, wanted)
        return
    view = {"ticket": {"type": type_, "priority": priority}}
    _validated(entity, wanted, before={}, role="automation", view=view, complete=True, fresh=True)


def missing(ticket: Instance) -> tuple[str, ...]:
    """The names of the fields that the model requires of the ticket now and that have no value."""
    return values.missing(published.find(ticket.type), ticket.fields, ticket.model_view())


def _open_fields(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> JsonObject:
    """All fields of a ticket whose type has no model, after some were set; null removes a value. Raises Invalid."""
    removed = {name for name, value in wanted.items() if value is None}
    after = {name: value for name, value in {**before, **wanted}.items() if name not in removed}
    _check_open(after, before, wanted)
    return after


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


LOOKUPS = Lookups(_person, _ticket)


def _validated(
    entity: Entity, wanted: Mapping[str, Any], *, before: Mapping[str, Any], lookups: Lookups = LOOKUPS, **how: Any
) -> JsonObject:
    """Check values by the model. A value that the ticket has already may stay, also if the author cannot look it up."""
    known = values.known_or(entity, before, lookups)
    return values.validated(entity, wanted, before=before, people=known.people, tickets=known.tickets, **how)


def check_type(type_: str) -> None:
    """Check that a model takes tickets of the type. A desk without any model takes every type. Raises Invalid."""
    if published.find(type_) is not None or not (known := [one.name for one in published.all_types()]):
        return
    close = get_close_matches(type_, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise Invalid([FieldProblem("/type", f"expected one of {', '.join(known)}, found {type_!r}{hint}")])


def workflow_of(type_: str) -> str:
    """The life cycle that new tickets of a type start on."""
    entity = published.find(type_)
    return entity.workflow if entity is not None else "support"


def new_fields(
    type_: str, wanted: Mapping[str, Any], *, role: str, priority: str, lookups: Lookups = LOOKUPS
) -> JsonObject:
    """The fields of a new ticket with their defaults.

    Raises Invalid for what is wrong and for what is required and missing.
    """
    entity = published.find(type_)
    if entity is None:
        _check_open(wanted, {}, wanted)
        return dict(wanted)
    view = {"ticket": {"type": type_, "priority": priority}}
    complete = role != "automation"
    return _validated(entity, wanted, before={}, role=role, view=view, complete=complete, fresh=True, lookups=lookups)


def defaults(type_: str) -> JsonObject:
    """Return the default field values of a ticket that is opened by a message instead of a form."""
    entity = published.find(type_)
    if entity is None:
        return {}
    return _validated(entity, {}, before={}, role="automation", view=_new_view(type_), complete=False, fresh=True)


def _new_view(type_: str) -> JsonObject:
    return {"ticket": {"type": type_, "priority": "normal"}}


def fields_of_event(type_: str, given: Any) -> JsonObject:
    """Return the field values of a ticket that an event opens: the defaults and the event's values that fit the type.

    A value that does not fit does not refuse the message. Agents see it in the message's `details`.
    """
    entity = published.find(type_)
    if entity is None or not isinstance(given, Mapping):
        return defaults(type_)
    wanted = {name: value for name, value in given.items() if name in entity.fields and value is not None}
    while wanted:
        try:
            return _validated(
                entity, wanted, before={}, role="automation", view=_new_view(type_), complete=False, fresh=True
            )
        except Invalid as refused:
            unfit = {problem.path.removeprefix("/fields/") for problem in refused.problems}
            fitting = {name: value for name, value in wanted.items() if name not in unfit}
            if len(fitting) == len(wanted):
                raise
            wanted = fitting
    return defaults(type_)


def changed_fields(
    ticket: Ticket,
    wanted: Mapping[str, Any],
    *,
    role: str,
    type_: str | None = None,
    priority: str | None = None,
    lookups: Lookups = LOOKUPS,
) -> JsonObject:
    """All fields of a ticket after some were set; null removes a value.

    `type_`, `priority`: the ticket's after the change. A ticket that gets another type is checked as a new one of that
    type: its values must fit, defaults are filled in, and a person fills in what is required. Fields that the new type
    does not declare keep their values. What the role may not see or edit stays. `lookups`: the people and tickets that
    the actor may name. Raises Invalid.
    """
    before, type_ = ticket.fields, type_ or ticket.type
    retyped = type_ != ticket.type
    _check_guards(ticket, type_, wanted, role)
    entity = published.find(type_)
    if entity is None:
        return _open_fields(before, wanted)
    if retyped:
        # A role cannot intend to change a value that it cannot see.
        concealed = hidden(type_, [ticket.type, *ticket.former_types], role)
        kept = {name: value for name, value in before.items() if name in entity.fields and name not in concealed}
        wanted = {**kept, **wanted}
    now = {"type": ticket.type, "priority": ticket.priority, "state": ticket.state}
    return _validated(
        entity,
        wanted,
        before=before,
        role=role,
        view={"ticket": now | {"type": type_, "priority": priority or ticket.priority}},
        view_before={"ticket": now},
        complete=retyped and role != "automation",
        fresh=retyped,
        lookups=lookups,
    )


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
