"""The fields of a ticket type as inputs of a form, and the values that a form gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from functions.console.frame import formats, texts
from functions.console.frame.texts import gettext as _
from models.dialogues import answers
from models.expressions.durations import compact
from models.infomodel import locks, published, values
from models.infomodel.definition import Entity, Field
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.tickets.tables import Ticket
from models.visibility import seen

PREFIX: Final = "field."
_INPUTS: Final = {
    "date": "date",
    "email": "email",
    "phone": "tel",
    "url": "url",
}


@dataclass(slots=True)
class FieldInput:
    """A field in a form. `kind`: the type of the model; `input`: the type of an HTML input. `text`: the value as the
    reader sees it. `reason`: why the field cannot be edited now, or an empty text.
    """

    name: str
    label: str
    kind: str
    input: str
    value: Any
    text: str
    choices: list[tuple[str, str]]
    help: str
    required: bool
    reason: str
    currencies: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The name of the input."""
        return PREFIX + self.name


def of(ticket: Ticket, role: str) -> list[FieldInput]:
    """Return the fields that a role sees, in the order of the model: the visible ones, and others with a value."""
    entity = published.find(ticket.type)
    shown = seen.fields(ticket, role)
    if entity is None:
        return _undeclared(shown, ())
    view = _view(ticket)
    hidden = values.hidden(entity, role)
    locked = locks.locked(entity, ticket.state)
    found = [
        _input(entity, name, one, shown.get(name), ticket, role, view=view, locked=locked)
        for name, one in entity.fields.items()
        if name not in hidden and (shown.get(name) is not None or _asks(entity, one, ticket, view))
    ]
    return [*found, *_undeclared(shown, entity.fields)]


def wanted(ticket: Ticket, role: str, names: Collection[str]) -> list[FieldInput]:
    """Return the inputs of these fields, such as those that a transition requires."""
    entity = published.find(ticket.type)
    if entity is None:
        return []
    shown, view = seen.fields(ticket, role), _view(ticket)
    hidden = values.hidden(entity, role)
    return [
        _input(entity, name, entity.fields[name], shown.get(name), ticket, role, view=view, locked=(), required=True)
        for name in names
        if name in entity.fields and name not in hidden
    ]


def _view(ticket: Ticket) -> JsonObject:
    return {"ticket": {"type": ticket.type, "priority": ticket.priority, "state": ticket.state}}


def _asks(entity: Entity, one: Field, ticket: Ticket, view: Mapping[str, Any]) -> bool:
    return not one.retired and values.is_visible(entity, one, ticket.fields, view)


def _undeclared(shown: Mapping[str, Any], declared: Collection[str]) -> list[FieldInput]:
    """Return fields that an integration keeps on the ticket: shown, not edited."""
    return [
        FieldInput(name, texts.label(None, name), "other", "text", value, str(value), [], "", False, _("read only"))
        for name, value in sorted(shown.items())
        if name not in declared
    ]


def _input(
    entity: Entity,
    name: str,
    one: Field,
    value: Any,
    ticket: Ticket,
    role: str,
    *,
    view: Mapping[str, Any],
    locked: Collection[str],
    required: bool = False,
) -> FieldInput:
    reason = ""
    if one.retired or (one.edit and role not in (*one.edit, "admin")):
        reason = _("read only")
    elif name in locked:
        reason = _("locked in this state")
    choices = [(key, texts.label(choice.label, key)) for key, choice in one.choices.items()]
    return FieldInput(
        name,
        texts.label(one.label, name),
        one.kind,
        _INPUTS.get(one.kind, "text"),
        _edited(one, value),
        _text(one, value),
        choices,
        texts.label(one.help, "") if one.help else "",
        required or values.is_required(entity, one, ticket.fields, view),
        reason,
        list(one.currencies),
    )


def _edited(one: Field, value: Any) -> Any:
    """Return the value as an input has it."""
    if value is None:
        return [] if one.kind == "multi_choice" else "" if one.kind != "checkbox" else False
    if one.kind == "money":
        return f"{value['amount'] / 100:.2f} {value['currency']}"
    return compact(value) if one.kind == "duration" else value


def _text(one: Field, value: Any) -> str:
    """Return the value as a reader sees it."""
    if value is None or value == "" or value == []:
        return ""
    if one.kind == "choice":
        return _choice(one, value)
    if one.kind == "multi_choice":
        return ", ".join(_choice(one, each) for each in value)
    if one.kind == "checkbox":
        return _("yes") if value else _("no")
    if one.kind == "money":
        return f"{formats.decimal(value['amount'] / 100)} {value['currency']}"
    return compact(value) if one.kind == "duration" else str(value)


def _choice(one: Field, value: str) -> str:
    found = one.choices.get(value)
    return texts.label(found.label if found is not None else None, value)


def read(ticket: Ticket, given: Mapping[str, Sequence[str]]) -> JsonObject:
    """Return the field values of a form, by name. An empty input removes the value. Raises Invalid."""
    entity = published.find(ticket.type)
    found: JsonObject = {}
    for key, inputs in given.items():
        name = key.removeprefix(PREFIX)
        if not key.startswith(PREFIX) or entity is None or name not in entity.fields:
            continue
        found[name] = _value(entity.fields[name], [one for one in inputs if one != ""], name)
    return found


def _value(one: Field, inputs: Sequence[str], name: str) -> Any:
    if one.kind == "multi_choice":
        return list(inputs) or None
    if one.kind == "checkbox":
        return bool(inputs)
    if not inputs:
        return None
    try:
        return answers.value_of(one, inputs[-1])
    except ValueError as error:
        raise Invalid([FieldProblem(PREFIX + name, str(error))]) from error
