"""The normal form of a field's value: one function per kind, which refuses a wrong value with what it expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from models.expressions.durations import parse_duration
from models.infomodel.definition import TEXTS, Field, long_text_chars_max, text_chars_max
from models.kernel.open_json import JsonObject
from models.kernel.text import has_control, has_visible

# Turns the text of a caller into an id, or gives None.
Lookup = Callable[[str], str | None]


class Lookups(NamedTuple):
    """The ways in which values of the kinds `person` and `ticket` are found."""

    people: Lookup
    tickets: Lookup


_EMAIL = re.compile(r"^[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]+\.[^@\s<>,;\".]{2,}$")
_PHONE = re.compile(r"^\+?\d{5,15}$")


def normal(field: Field, value: Any, *, people: Lookup | None = None, tickets: Lookup | None = None) -> Any:
    """Return a value in the form in which it is stored. Raises ValueError with what was expected and found."""
    if field.kind in TEXTS:
        return _text(field, value)
    if field.kind == "person":
        return _found(value, people, "the id or the e-mail address of a user")
    if field.kind == "ticket":
        return _found(str(value) if _is_whole(value) else value, tickets, "the number or the id of a ticket")
    return _NORMAL[field.kind](field, value)


def _found(value: Any, lookup: Lookup | None, expected: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    found = lookup(text) if lookup is not None and text else text or None
    if found is None:
        raise ValueError(f"expected {expected}, found {_short(value)}")
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {_short(value)}")
    text = value.strip()
    _check_length(field, text)
    if field.kind != "long_text" and not all(c.isprintable() for c in text):
        raise ValueError("expected one line without control characters")
    if has_control(text):
        raise ValueError("expected a text without control characters")
    if text and not has_visible(text):
        raise ValueError("expected a text with a visible character")
    if (form := _FORMS.get(field.kind)) is not None:
        text = form(text)
    if field.pattern is not None and re.fullmatch(field.pattern, text) is None:
        raise ValueError(f"expected a text like {field.pattern}, found {_short(text)}")
    return text


def _check_length(field: Field, text: str) -> None:
    most = field.max_length or (long_text_chars_max if field.kind == "long_text" else text_chars_max)
    if len(text) > most:
        raise ValueError(f"expected at most {most} characters, found {len(text)}")
    if field.min_length is not None and len(text) < field.min_length:
        raise ValueError(f"expected at least {field.min_length} characters, found {len(text)}")


def _email(text: str) -> str:
    if _EMAIL.match(text) is None:
        raise ValueError(f"expected an e-mail address such as ada@example.test, found {_short(text)}")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def _phone(text: str) -> str:
    digits = re.sub(r"[\s().\-/]", "", text)
    if _PHONE.match(digits) is None:
        raise ValueError(f"expected a phone number such as +49 30 1234567, found {_short(text)}")
    return digits


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fits = False
    if not fits or " " in text:
        raise ValueError(f"expected an address that starts with https:// or http://, found {_short(text)}")
    return text


_FORMS: dict[str, Callable[[str], str]] = {"email": _email, "phone": _phone, "url": _url}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _within(field: Field, value: float) -> None:
    if field.min is not None and value < field.min:
        raise ValueError(f"expected at least {field.min:g}, found {value:g}")
    if field.max is not None and value > field.max:
        raise ValueError(f"expected at most {field.max:g}, found {value:g}")


def _number(field: Field, value: Any) -> float | int:
    if not (_is_whole(value) or isinstance(value, float)) or value != value or abs(value) >= 2**53:
        raise ValueError(f"expected a number, found {_short(value)}")
    if field.whole and value != int(value):
        raise ValueError(f"expected a whole number, found {_short(value)}")
    _within(field, value)
    return int(value) if value == int(value) else value


def _money(field: Field, value: Any) -> JsonObject:
    told = f'expected {{"amount": 1999, "currency": "{field.currencies[0] if field.currencies else "EUR"}"}} with the amount in minor units'
    if not isinstance(value, Mapping) or set(value) != {"amount", "currency"} or not _is_whole(value["amount"]):
        raise ValueError(f"{told}, found {_short(value)}")
    if abs(value["amount"]) >= 2**53:
        raise ValueError(f"{told}, found {_short(value)}")
    if value["currency"] not in field.currencies:
        raise ValueError(f"expected a currency of {', '.join(field.currencies)}, found {_short(value['currency'])}")
    _within(field, value["amount"])
    return {"amount": value["amount"], "currency": value["currency"]}


def _choice(field: Field, value: Any) -> str:
    if not isinstance(value, str) or value not in field.choices:
        close = get_close_matches(str(value), list(field.choices), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"expected one of {', '.join(field.choices)}, found {_short(value)}{hint}")
    return value


def _choices(field: Field, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of {', '.join(field.choices)}, found {_short(value)}")
    return list(dict.fromkeys(_choice(field, one) for one in value))


def _date(field: Field, value: Any) -> str:
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(f"expected a date such as 2026-01-31, found {_short(value)}") from None


def _seconds(field: Field, value: Any) -> int:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError(f"expected a duration such as 1h30m or a number of seconds, found {_short(value)}")
    seconds = parse_duration(value)
    _within(field, seconds)
    return seconds


def _checkbox(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {_short(value)}")
    return value


_NORMAL: dict[str, Callable[[Field, Any], Any]] = {
    "number": _number,
    "money": _money,
    "choice": _choice,
    "multi_choice": _choices,
    "date": _date,
    "duration": _seconds,
    "checkbox": _checkbox,
}
