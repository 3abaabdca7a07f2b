"""The form of a ticket type: controls for its fields, the values that a form sends, and values as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypedDict

from functions.console.frame import formats, texts
from functions.console.frame.texts import gettext as _
from functions.console.portal.forms import Form
from models.infomodel import values
from models.infomodel.definition import Entity, Field
from models.kernel import imports
from models.kernel.open_json import JsonObject
from models.portal import requests

PREFIX: Final = "f."
SHOWN: Final = "shown"
_INPUTS: Final[Mapping[str, str]] = {
    "text": "text",
    "email": "email",
    "phone": "tel",
    "url": "url",
    "date": "date",
    "number": "text",
    "duration": "text",
    "money": "text",
}
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Control:
    """A field as a form shows it. `kind`: input, area, select, boxes or check."""

    name: str
    label: str
    kind: str
    value: str = ""
    chosen: Sequence[str] = ()
    input: str = "text"
    options: Sequence[tuple[str, str]] = ()
    help: str = ""
    required: bool = False
    problem: str = ""
    attrs: Mapping[str, str] = field(default_factory=dict)


class _Common(TypedDict):
    name: str
    label: str
    help: str
    required: bool
    problem: str


def defaults(entity: Entity) -> JsonObject:
    """Return the values with which an empty form begins."""
    return {name: one.default for name, one in requests.asked_fields(entity).items() if one.default is not None}


def visible(entity: Entity, found: Mapping[str, Any]) -> dict[str, Field]:
    """Return the asked fields that are visible with these values."""
    view = {"ticket": {"type": entity.name, "priority": "normal"}}
    asked = requests.asked_fields(entity)
    return {name: one for name, one in asked.items() if values.is_visible(entity, one, found, view)}


def sent(entity: Entity, form: Form) -> JsonObject:
    """Return the values that a form sends, in the types of the model where the text fits them.

    A text that does not fit stays as it is, and the model refuses it.
    """
    shown = set(form.all(SHOWN))
    found: JsonObject = {}
    for name, one in requests.asked_fields(entity).items():
        if name not in shown:
            continue
        value = _sent(one, name, form)
        if value not in values.MISSING:
            found[name] = value
    return found


def _sent(one: Field, name: str, form: Form) -> Any:
    text = form.text(PREFIX + name).strip()
    if one.kind == "checkbox":
        return bool(text)
    if one.kind == "multi_choice":
        return [value for value in form.all(PREFIX + name) if value]
    if text == "":
        return None
    if one.kind in ("number", "duration", "money"):
        number = _number(text)
        if number is None:
            return text
        if one.kind == "duration":
            return _whole(number * _MINUTE_S, text)
        if one.kind == "money":
            currency = form.text(f"{PREFIX}{name}.currency")
            currency = currency if currency in one.currencies else one.currencies[0]
            return {"amount": _whole(number.scaleb(_digits(currency)), text), "currency": currency}
        return int(number) if number == number.to_integral_value() else float(number)
    return form.text(PREFIX + name) if one.kind == "long_text" else text


def _whole(number: Decimal, text: str) -> int | str:
    """Return a whole number, or the text for a part of a cent or a second, which the model refuses."""
    return int(number) if number == number.to_integral_value() else text


def _number(text: str) -> Decimal | None:
    plain = text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace(",", ".")
    try:
        found = Decimal(plain) if len(plain) <= 30 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def controls(
    entity: Entity, found: Mapping[str, Any], problems: Mapping[str, str] | None = None, form: Form | None = None
) -> list[Control]:
    """Return the controls of the fields that are visible with these values. `problems`: by path."""
    wrong = {path.split("/")[2]: text for path, text in (problems or {}).items() if path.startswith("/fields/")}
    made = []
    for name, one in visible(entity, found).items():
        problem = "" if name not in wrong else problem_of(one, wrong[name])
        made.append(_control(entity, name, one, found, problem, form))
        if one.kind == "money" and len(one.currencies) > 1:
            made.append(_currency(name, one, found))
    return made


def _control(
    entity: Entity, name: str, one: Field, found: Mapping[str, Any], problem: str, form: Form | None
) -> Control:
    value = found.get(name)
    view = {"ticket": {"type": entity.name, "priority": "normal"}}
    common: _Common = {
        "name": name,
        "label": texts.label(one.label, name),
        "help": texts.label(one.help, "") if one.help else _hint(one),
        "required": values.is_required(entity, one, found, view) and one.kind != "checkbox",
        "problem": problem,
    }
    options = [(key, texts.label(choice.label, key)) for key, choice in one.choices.items()]
    if one.kind == "choice":
        return Control(kind="select", value=str(value or ""), options=[("", "–"), *options], **common)
    if one.kind == "multi_choice":
        return Control(kind="boxes", chosen=value if isinstance(value, list) else [], options=options, **common)
    if one.kind == "checkbox":
        return Control(kind="check", value="on" if value else "", **common)
    typed = form.text(PREFIX + name) if form is not None else ""
    text = typed or _typed(one, value)
    if one.kind == "long_text":
        return Control(kind="area", value=text, **common)
    attrs = {"inputmode": "decimal"} if one.kind in ("number", "duration", "money") else {}
    return Control(kind="input", value=text, input=_INPUTS.get(one.kind, "text"), attrs=attrs, **common)


def _currency(name: str, one: Field, found: Mapping[str, Any]) -> Control:
    value = found.get(name)
    known = value.get("currency", "") if isinstance(value, dict) else ""
    return Control(
        name=f"{name}.currency",
        label=_("Currency"),
        kind="select",
        value=str(known),
        options=[(code, code) for code in one.currencies],
    )


def _typed(one: Field, value: Any) -> str:
    """Return a value as a person types it into an input."""
    if value is None:
        return ""
    if one.kind == "duration" and isinstance(value, int):
        return str(value // _MINUTE_S)
    if one.kind == "money" and isinstance(value, dict):
        amount = value["amount"]
        return str(Decimal(amount).scaleb(-_digits(value["currency"]))) if isinstance(amount, int) else str(amount)
    return str(value)


def _hint(one: Field) -> str:
    return _("in minutes") if one.kind == "duration" else ""


def problem_of(one: Field, message: str) -> str:
    """Return what is wrong with a value, in words for a requester."""
    if "expected a value" in message:
        return _("Fill this in.")
    words = {
        "number": _("Write a number, such as 12."),
        "duration": _("Write a number of minutes, such as 30."),
        "money": _("Write an amount, such as 12.50."),
        "date": _("Write a date."),
        "email": _("Write an e-mail address, such as ada@example.com."),
        "url": _("Write an address that begins with https://."),
        "phone": _("Write a telephone number with its country code, such as +49 30 1234."),
    }
    return words.get(one.kind) or _("This value does not fit: it is too short, too long, or of another form.")


def shown(one: Field, value: Any) -> str:
    """Return a value as text for a reader."""
    match one.kind:
        case "checkbox":
            return _("Yes") if value else _("No")
        case "choice" | "multi_choice":
            labels = requests.labelled(value, one)
            return ", ".join(texts.label(label, name) for name, label in labels.items())
        case "money" if isinstance(value, dict):
            imports.load("babel.numbers")
            from babel import numbers

            amount = Decimal(value["amount"]).scaleb(-_digits(value["currency"]))
            return str(numbers.format_currency(amount, value["currency"], locale=texts.language()))
        case "date":
            return _date(str(value))
        case "duration" if isinstance(value, int):
            return _("%(n)s min", n=value // _MINUTE_S)
        case "number":
            return formats.number(value)
        case _:
            return str(value)


def _date(text: str) -> str:
    imports.load("babel.dates")
    from babel import dates

    try:
        return str(dates.format_date(date.fromisoformat(text), "long", locale=texts.language()))
    except ValueError:
        return text


def _digits(currency: str) -> int:
    """Return the number of digits of the minor unit (ISO 4217)."""
    imports.load("babel.numbers")
    from babel import numbers

    return int(numbers.get_currency_precision(currency))
