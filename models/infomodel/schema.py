"""The fields of a type as JSON Schema 2020-12, for forms and integrations that use the API."""

from __future__ import annotations

from typing import TypeAlias

from models.definitions.desk import UNDECLARED, Desk
from models.infomodel import values
from models.infomodel.definition import Entity, Field, Label, long_text_chars_max, text_chars_max
from models.kernel import languages
from models.kernel.open_json import JsonObject

# The languages in which a title may be, the best first.
_Order: TypeAlias = tuple[str | None, ...]
_DATE = r"^\d{4}-\d{2}-\d{2}$"


def json_schema(
    entity: Entity, *, language: str | None = None, role: str = "agent", desk: Desk = UNDECLARED
) -> JsonObject:
    """Return the schema of the object `fields` of a ticket of the type (of a requester, an organisation), as a role may
    see and set it.
    """
    shown = {name: field for name, field in entity.fields.items() if values.sees(field, role)}
    order = (language, *desk.languages)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:nestor:model:{entity.name}:{language or desk.fallback}",
        "title": _in(entity.label, order),
        "type": "object",
        "properties": {name: _property(field, order, role) for name, field in shown.items()},
        "required": [
            name
            for name, field in shown.items()
            if field.required and field.visible_when is None and field.default is None
        ],
        "additionalProperties": entity.takes_any_field,
    }


def _edits(field: Field, role: str) -> bool:
    if field.retired:
        return False
    if role == "requester":
        return field.portal == "edit"
    return role == "admin" or not field.edit or role in field.edit


def _in(label: Label, order: _Order) -> str:
    return label[languages.chosen(label, *order)]


def _property(field: Field, order: _Order, role: str) -> JsonObject:
    told: JsonObject = {
        "title": _in(field.label, order),
        **_shape(field, order),
        "x-nestor-kind": field.kind,
    }
    if field.help is not None:
        told["description"] = _in(field.help, order)
    if field.default is not None:
        told["default"] = field.default
    if not _edits(field, role):
        told["readOnly"] = True
    if field.retired:
        told["deprecated"] = True
    for key in ("required_when", "visible_when"):
        if (condition := getattr(field, key)) is not None:
            told[f"x-nestor-{key.replace('_', '-')}"] = condition
    return told


def _shape(field: Field, order: _Order) -> JsonObject:
    """Return the JSON Schema of a kind's values."""
    match field.kind:
        case "number":
            return {"type": "integer" if field.whole else "number", **_bounds(field)}
        case "duration":
            return {"type": "integer", "description": "seconds", "minimum": 0, **_bounds(field)}
        case "checkbox":
            return {"type": "boolean"}
        case "date":
            return {"type": "string", "format": "date", "pattern": _DATE}
        case "money":
            return _money(field)
        case "choice":
            return {"oneOf": _choices(field, order)}
        case "multi_choice":
            return {"type": "array", "items": {"oneOf": _choices(field, order)}, "uniqueItems": True}
        case "person" | "ticket":
            return {"type": "string"}
        case _:
            return _text(field)


def _money(field: Field) -> JsonObject:
    return {
        "type": "object",
        "properties": {"amount": {"type": "integer", **_bounds(field)}, "currency": {"enum": field.currencies}},
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }


def _text(field: Field) -> JsonObject:
    most = field.max_length or (long_text_chars_max if field.kind == "long_text" else text_chars_max)
    found: JsonObject = {"type": "string", "maxLength": most}
    if field.min_length is not None:
        found["minLength"] = field.min_length
    if field.pattern is not None:
        found["pattern"] = f"^(?:{field.pattern})$"
    if (named := {"email": "email", "url": "uri"}.get(field.kind)) is not None:
        found["format"] = named
    return found


def _choices(field: Field, order: _Order) -> list[dict[str, str]]:
    return [{"const": name, "title": _in(choice.label, order)} for name, choice in field.choices.items()]


def _bounds(field: Field) -> JsonObject:
    found: JsonObject = {}
    for key, bound in (("minimum", field.min), ("maximum", field.max)):
        if bound is not None:
            found[key] = int(bound) if bound == int(bound) else bound
    return found
