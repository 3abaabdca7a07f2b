"""The value that a person means with a text or a button, by the kind of the field. Pure.

The result is the input of `infomodel.values.normal`, which checks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from models.infomodel.definition import Field
from models.kernel.open_json import JsonObject

_AMOUNT = re.compile(r"([A-Z]{3}|[€$£])?\s*([-+]?[0-9][0-9 '.,\u00a0\u202f]*)\s*([A-Z]{3}|[€$£])?", re.IGNORECASE)
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP"}
_GROUPS = re.compile(r"[ '\u00a0\u202f]")
_DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
# The words for yes and no in the languages of the desk's own texts.
_YES = frozenset({"yes", "y", "true", "да", "ja", "sí", "si", "oui", "1"})
_NO = frozenset({"no", "n", "false", "нет", "nein", "non", "0"})


def value_of(field: Field, text: str) -> Any:
    """Return the value that a person wrote. Raises ValueError with the expectation."""
    said = text.strip()
    match field.kind:
        case "number":
            return _number(said)
        case "money":
            return _money(field, said)
        case "choice":
            return choice_of(field.choices, said)
        case "multi_choice":
            return [choice_of(field.choices, one) for one in re.split(r"[,;\n]", said) if one.strip()]
        case "date":
            day = _DAY_FIRST.fullmatch(said)
            return said if day is None else f"{day[3]}-{int(day[2]):02d}-{int(day[1]):02d}"
        case "checkbox":
            return is_yes(said)
        case "ticket":
            return said.lstrip("#№ ")
        case _:
            return said


def is_yes(text: str) -> bool:
    """Read a yes or a no. Raises ValueError."""
    said = text.strip().lower().rstrip(".!")
    if said in _YES or said in _NO:
        return said in _YES
    raise ValueError("expected yes or no")


def choice_of(choices: Mapping[str, Any], text: str) -> str:
    """Return the name of a choice by its name or its label in any language; else the text, which the check refuses."""
    said = text.strip().casefold()
    for name, choice in choices.items():
        if said in {name.casefold(), *(label.casefold() for label in choice.label.values())}:
            return name
    return text.strip()


def _number(text: str) -> int | float:
    plain = _plain(text)
    try:
        return int(plain) if re.fullmatch(r"[-+]?[0-9]+", plain) else float(plain)
    except ValueError:
        raise ValueError("expected a number such as 12.5") from None


def _money(field: Field, text: str) -> JsonObject:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"expected an amount such as 19.99 {(field.currencies or ['EUR'])[0]}")
    named = found[1] or found[3]
    only = field.currencies[0] if len(field.currencies) == 1 else ""
    currency = _SIGNS.get(named or "", (named or only).upper())
    if not currency:
        raise ValueError(f"expected an amount with its currency, one of {', '.join(field.currencies)}")
    plain = _plain(found[2])
    major, _, minor = plain.lstrip("+-").partition(".")
    if len(minor) > 2:
        raise ValueError("expected at most two decimal places")
    amount = int(major) * 100 + int(minor.ljust(2, "0"))
    return {"amount": -amount if plain.startswith("-") else amount, "currency": currency}


def _plain(text: str) -> str:
    """Return a number with a point before its decimals and without group separators.

    The last point or comma is before the decimals, unless it repeats or exactly three digits of a larger number follow
    it: `1,999` and `1.999.000` have groups.
    """
    digits = _GROUPS.sub("", text)
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return digits
    mark, behind = digits[last], digits[last + 1 :]
    is_group = digits.count(mark) > 1 or (len(behind) == 3 and mark == "," and "." not in digits)
    whole = digits[:last].replace(".", "").replace(",", "")
    return whole + behind if is_group else f"{whole}.{behind}"
