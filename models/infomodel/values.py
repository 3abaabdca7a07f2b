"""Values of fields: changes by the model, permissions by role, hidden and required fields. Pure, except for the
look-ups of people and tickets.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from difflib import get_close_matches
from typing import Any

from models.expressions import conditions
from models.infomodel import open_fields
from models.infomodel.definition import Entity, Field
from models.infomodel.normal_form import Lookup, Lookups, normal
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

MISSING: tuple[Any, ...] = (None, "", [], {})


def validated(
    entity: Entity,
    wanted: Mapping[str, Any],
    *,
    before: Mapping[str, Any],
    role: str,
    view: Mapping[str, Any] | None,
    complete: bool,
    fresh: bool | None = None,
    view_before: Mapping[str, Any] | None = None,
    path: str = "/fields",
    people: Lookup | None = None,
    tickets: Lookup | None = None,
) -> JsonObject:
    """Return all fields after `wanted` was set over `before`, in normal form; null removes a value.

    `role`: of the person who sets them (`automation` may set everything but retired fields). `view`: more names for
    conditions; `view_before`: those names before the change, if the change touches them. `fresh`: nothing was set
    before, so defaults are filled in; without a word about it, `complete` or the absence of fields says so. `complete`:
    every required field must have a value. A change that is not complete must neither empty a field that is required
    afterwards nor make an empty field required; a fresh one may leave required fields empty. A field that
    `visible_when` hides takes no value. Raises Invalid with every problem, each with its path.
    """
    fresh = (complete or not before) if fresh is None else fresh
    problems: list[FieldProblem] = []
    after = dict(before)
    for name, value in wanted.items():
        place = f"{path}/{name}"
        field = entity.fields.get(name)
        if field is None:
            problems.extend(_other(entity, place, name, value, before))
            _set_other(after, name, value, fresh=fresh)
        elif (no := not_editable(field, name, value, before, role)) is not None:
            problems.append(FieldProblem(place, no))
        else:
            try:
                _set(after, name, None if value in MISSING else normal(field, value, people=people, tickets=tickets))
            except ValueError as error:
                problems.append(FieldProblem(place, str(error)))
    if fresh:
        _fill_defaults(entity, after, wanted, view)
    problems.extend(open_fields.problems(after, before=before, wanted=wanted, declared=entity.fields, path=path))
    if not problems:
        problems.extend(_concealed(entity, after, wanted, before, view, path))
        if complete or not fresh:
            excused = {} if complete else _missing(entity, before, view if view_before is None else view_before)
            problems.extend(_required(entity, after, excused, view, path, role))
    if problems:
        raise Invalid(problems)
    return after


def known_or(entity: Entity, before: Mapping[str, Any], lookups: Lookups) -> Lookups:
    """Return look-ups that also find the people and tickets that the fields name already, so that they can be sent
    back by somebody who cannot look them up.
    """

    def known(kind: str, lookup: Lookup) -> Lookup:
        values = {before.get(name) for name, field in entity.fields.items() if field.kind == kind}
        return lambda text: text if text in values else lookup(text)

    return Lookups(known("person", lookups.people), known("ticket", lookups.tickets))


def _fill_defaults(
    entity: Entity, after: JsonObject, wanted: Mapping[str, Any], view: Mapping[str, Any] | None
) -> None:
    """Fill in the defaults of visible fields that nobody set. A default may show another field, which has one too."""
    waiting = [
        (name, field)
        for name, field in entity.fields.items()
        if field.default is not None and name not in after and name not in wanted and not field.retired
    ]
    while shown := [(name, field) for name, field in waiting if is_visible(entity, field, after, view)]:
        after.update({name: normal(field, field.default) for name, field in shown})
        waiting = [one for one in waiting if one not in shown]


def _set(after: JsonObject, name: str, value: Any) -> None:
    if value in MISSING:
        after.pop(name, None)
    else:
        after[name] = value


def _set_other(after: JsonObject, name: str, value: Any, *, fresh: bool) -> None:
    """Set an undeclared field as its value came. Null removes it; something new keeps even a null."""
    if value is None and not fresh:
        after.pop(name, None)
    else:
        after[name] = value


def _other(entity: Entity, place: str, name: str, value: Any, before: Mapping[str, Any]) -> list[FieldProblem]:
    """Refuse an undeclared field. A value of a former type may stay, and may be removed."""
    if entity.takes_any_field or (name in before and value in (None, before[name])):
        return []
    close = get_close_matches(name, list(entity.fields), n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(entity.fields)) or 'none'}"
    return [FieldProblem(place, f"{entity.name} has no such field{hint}")]


def not_editable(field: Field, name: str, value: Any, before: Mapping[str, Any], role: str) -> str | None:
    """Return the reason why a role may not set a field to a value, or None."""
    if before.get(name) == value and sees(field, role):
        # Sending back the value that was read changes nothing. Where the role cannot read the value, an answer that
        # depends on it would let the role guess it.
        return None
    if field.retired:
        return "the field is retired: it is kept, and nobody changes it"
    if role == "requester":
        return None if field.portal == "edit" else "requesters may not change this field"
    if role in ("automation", "admin") or not field.edit or role in field.edit:
        return None
    return f"this field is for {', '.join(field.edit)}; you are {role}"


def _concealed(
    entity: Entity,
    after: Mapping[str, Any],
    wanted: Mapping[str, Any],
    before: Mapping[str, Any],
    view: Mapping[str, Any] | None,
    path: str,
) -> list[FieldProblem]:
    """Refuse new values of fields that are not visible after the change. A value that was there before may stay."""
    return [
        FieldProblem(f"{path}/{name}", f"the field takes no value here: it is visible when {field.visible_when}")
        for name, field in entity.fields.items()
        if name in wanted
        and name in after
        and after[name] != before.get(name)
        and not is_visible(entity, field, after, view)
    ]


def _required(
    entity: Entity,
    after: Mapping[str, Any],
    excused: Container[str],
    view: Mapping[str, Any] | None,
    path: str,
    role: str,
) -> list[FieldProblem]:
    """Refuse the absence of required values. A requester is asked only for the fields that requesters may edit."""
    return [
        FieldProblem(
            f"{path}/{name}",
            "expected a value: the field is required" + (f" when {field.required_when}" if field.required_when else ""),
        )
        for name, field in _missing(entity, after, view).items()
        if name not in excused and (role != "requester" or field.portal == "edit")
    ]


def _missing(entity: Entity, fields: Mapping[str, Any], view: Mapping[str, Any] | None) -> dict[str, Field]:
    """Return the required fields that have no value."""
    return {
        name: field
        for name, field in entity.fields.items()
        if name not in fields and is_required(entity, field, fields, view)
    }


def missing(entity: Entity | None, fields: Mapping[str, Any], view: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the names of the required fields that have no value."""
    return () if entity is None else tuple(_missing(entity, fields, view))


def is_required(entity: Entity, field: Field, fields: Mapping[str, Any], view: Mapping[str, Any] | None) -> bool:
    """Return True if the field must have a value now. A field that is not visible is never required."""
    if field.retired or not (field.required or field.required_when):
        return False
    if not is_visible(entity, field, fields, view):
        return False
    return field.required or _holds(entity, field.required_when, fields, view)


def is_visible(entity: Entity, field: Field, fields: Mapping[str, Any], view: Mapping[str, Any] | None) -> bool:
    """Return True if the field is visible now."""
    return field.visible_when is None or _holds(entity, field.visible_when, fields, view)


def _holds(entity: Entity, condition: str | None, fields: Mapping[str, Any], view: Mapping[str, Any] | None) -> bool:
    ticket = {"type": entity.name, "priority": "", "state": ""} | dict((view or {}).get("ticket", {}))
    try:
        return conditions.holds(condition or "true", {"ticket": ticket, "fields": dict(view_values(entity, fields))})
    except conditions.ConditionError:
        return False


_ZEROS: JsonObject = {"number": None, "duration": None, "checkbox": False, "multi_choice": []}


def view_values(entity: Entity | None, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return every declared field as conditions read it. An empty number is null, so that arithmetic does not take it
    for 0.
    """
    if entity is None:
        return fields
    found = dict(fields)
    for name, field in entity.fields.items():
        if name not in found:
            found[name] = {"amount": None, "currency": ""} if field.kind == "money" else _ZEROS.get(field.kind, "")
        elif field.kind == "number":
            found[name] = float(found[name])
    return found


def filled(fields: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that have a value."""
    return [name for name, value in fields.items() if value not in MISSING]


def sees(field: Field, role: str) -> bool:
    """Return True if a role may read a field."""
    if role == "requester":
        return field.portal != "hidden" and not field.retired
    return not field.see or role in field.see or role in ("admin", "automation")


def hidden(entity: Entity | None, role: str) -> frozenset[str]:
    """Return the names of the declared fields that a role may not read."""
    return (
        frozenset() if entity is None else frozenset(n for n, field in entity.fields.items() if not sees(field, role))
    )


def visible(entity: Entity | None, fields: Mapping[str, Any], role: str) -> JsonObject:
    """Return the fields that a role may read. A requester reads declared fields only."""
    concealed = hidden(entity, role)
    if entity is not None and role == "requester":
        concealed |= fields.keys() - entity.fields.keys()
    return {name: value for name, value in fields.items() if name not in concealed}
