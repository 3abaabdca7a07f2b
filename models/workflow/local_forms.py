"""Dates, amounts, and yes and no as the readers of a language write them.

The forms are those of the Unicode CLDR for the languages that are listed; other languages read ISO dates and English
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from models.definitions.desk import Label
from models.kernel import languages

YES: Label = {
    "en": "yes",
    "ru": "да",
    "de": "ja",
    "fr": "oui",
    "es": "sí",
    "it": "sì",
    "pt": "sim",
    "pl": "tak",
    "nl": "ja",
    "uk": "так",
    "tr": "evet",
}
NO: Label = {
    "en": "no",
    "ru": "нет",
    "de": "nein",
    "fr": "non",
    "es": "no",
    "it": "no",
    "pt": "não",
    "pl": "nie",
    "nl": "nee",
    "uk": "ні",
    "tr": "hayır",
}
_DATES = {
    "%d.%m.%Y": "ru de pl cs sk uk be bg fi da nb no et lv ro sr mk ka hy az kk tr sl hr",
    "%d/%m/%Y": "fr es it pt el ca gl vi id",
    "%d-%m-%Y": "nl",
}
_DATE_OF = {language: form for form, known in _DATES.items() for language in known.split()}
_SPACE = "\u00a0"
_SEPARATORS = {
    (_SPACE, ","): "ru fr pl cs sk uk be bg fi nb no sv et lv lt hu",
    (".", ","): "de es it pt nl da tr el id vi sl hr sr ro ca gl",
}
_SEPARATORS_OF = {language: found for found, known in _SEPARATORS.items() for language in known.split()}


@dataclass(frozen=True, slots=True)
class LocalForms:
    """The forms of one language in one time zone."""

    language: str
    zone: str
    yes: str
    no: str

    @classmethod
    def of(cls, language: str, zone: str = "UTC", words: Mapping[str, Label] | None = None) -> LocalForms:
        """Return the forms of a language; the desk's own `words` for `yes` and `no` go before the built-in ones."""
        yes, no = (
            known[languages.chosen(known, language, "en")]
            for known in (YES | dict((words or {}).get("yes", {})), NO | dict((words or {}).get("no", {})))
        )
        return cls(languages.primary(language) or "en", zone, yes, no)

    def shown(self, value: Any) -> Any:
        """Return a value as people read it, never in Python's notation."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.yes if value else self.no
        if isinstance(value, Mapping):
            if "amount" in value:
                return self.money(value)
            return ", ".join(f"{name}: {self.shown(one)}" for name, one in value.items())
        if isinstance(value, list | tuple):
            return ", ".join(str(self.shown(one)) for one in value)
        return value

    def date(self, value: Any, *, with_time: bool = False) -> str:
        """Return a date, for instance 31.01.2026; an instant falls on its day in the zone."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return str(value)
        if not isinstance(value, date):
            return str(value)
        if isinstance(value, datetime):
            value = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).astimezone(ZoneInfo(self.zone))
        text = value.strftime(_DATE_OF.get(self.language, "%Y-%m-%d"))
        return f"{text} {value.strftime('%H:%M %Z')}" if with_time and isinstance(value, datetime) else text

    def money(self, value: Any) -> str:
        """{amount: 123450, currency: EUR} -> 1,234.50 EUR."""
        if not isinstance(value, Mapping):
            return str(value or "")
        if not isinstance(value.get("amount"), int):
            return ""  # a field without a value
        major, minor = divmod(abs(value["amount"]), 100)
        thousands, point = _SEPARATORS_OF.get(self.language, (",", "."))
        sign = "-" if value["amount"] < 0 else ""
        whole = f"{major:,}".replace(",", thousands)
        return f"{sign}{whole}{point}{minor:02d} {value.get('currency', '')}".rstrip()
