"""The desk's own definition, `desk.yaml`: its name, its languages, its time zone, its currency, and its texts.

A text is chosen in this order: the reader's language, the languages of the desk in their order, any. Built-in texts
have English before any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from models.definitions import shape, store
from models.kernel import languages, names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.text import one_line
from models.sla import working_time
from models.sla.working_time import Calendar

KIND = store.DESK
NAME = "desk"

Label = dict[str, str]

languages_max = 40  # more languages than any desk keeps texts in
name_chars_max = 100  # it stands in subjects of mails
priorities_max = 20  # a list sorted by priority reads each with a statement of its own
_COLOUR = re.compile(r"^#[0-9a-fA-F]{6}(?![\s\S])")
_CURRENCY = re.compile(r"^[A-Z]{3}(?![\s\S])")


class Priority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A priority of tickets. `label`: by language. `colour`: for consoles, as `#rrggbb`."""

    name: str
    label: Label
    colour: str | None = None


SHIPPED_PRIORITIES: Final = (
    Priority("low", {"en": "Low", "ru": "Низкий"}, "#8a94a6"),
    Priority("normal", {"en": "Normal", "ru": "Обычный"}, "#3b82f6"),
    Priority("high", {"en": "High", "ru": "Высокий"}, "#f59e0b"),
    Priority("urgent", {"en": "Urgent", "ru": "Срочный"}, "#dc2626"),
)


class Desk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The desk. `desk`: its name, in mails and texts. `languages`: the languages in which labels and templates are
    expected, as tags of BCP 47; the first is the fallback.

    `zone`: the IANA time zone of dates in texts, and of calendars that name none. `currency`: of fields of money that
    name none. `priorities`: from the lowest to the highest, which is their rank; low to urgent if there are none.
    `texts`: name -> language -> text; replaces built-in texts, or adds a language to them. An account's own `texts` go
    before. `calendar`: the working hours of tickets whose life cycle has no calendar; its zone is the desk's unless it
    names one.
    """

    desk: str = "Nestor"
    languages: list[str] = msgspec.field(default_factory=lambda: ["en"])
    zone: str = "UTC"
    currency: str | None = None
    priorities: list[Priority] = []
    texts: dict[str, Label] = {}
    calendar: Calendar | None = None
    description: str = ""

    @property
    def ranked_priorities(self) -> Sequence[Priority]:
        """Return the priorities, lowest first: the shipped ones unless the file has its own."""
        return self.priorities or SHIPPED_PRIORITIES

    @property
    def priority_names(self) -> list[str]:
        """Return the names of the priorities, lowest first."""
        return [one.name for one in self.ranked_priorities]

    @property
    def fallback(self) -> str:
        """Return the desk's first language."""
        return self.languages[0]

    def tag_for(self, texts: Mapping[str, str], *wanted: str | None) -> str:
        """Return the language in which a reader of the wanted languages reads a text."""
        return languages.chosen(texts, *wanted, *self.languages)

    def pick(self, texts: Mapping[str, str], *wanted: str | None) -> str:
        """Return a text for a reader of the wanted languages."""
        return texts[self.tag_for(texts, *wanted)]


UNDECLARED = Desk()


def read(body: JsonObject) -> Desk:
    """Read the structure alone. Raises Invalid."""
    return shape.convert(body, Desk)


def parse(body: JsonObject) -> Desk:
    """Read and check a desk's definition. Raises Invalid."""
    desk = read(body)
    if found := list(problems(desk)):
        raise Invalid(found)
    return desk


def problems(desk: Desk) -> Iterator[FieldProblem]:
    """Find everything that is wrong with a desk's definition, except for the names of its texts."""
    if not desk.desk.strip() or one_line(desk.desk, name_chars_max) != desk.desk:
        yield FieldProblem(".desk", f"expected the desk's name: one line of at most {name_chars_max} characters")
    if not 1 <= len(desk.languages) <= languages_max:
        yield FieldProblem(".languages", f"expected 1 to {languages_max} languages, found {len(desk.languages)}")
    for index, tag in enumerate(desk.languages):
        if not languages.is_tag(tag):
            yield FieldProblem(f".languages[{index}]", _not_a_tag(tag))
        elif tag.lower() in (one.lower() for one in desk.languages[:index]):
            yield FieldProblem(f".languages[{index}]", f"expected each language once, found {tag} twice")
    try:
        ZoneInfo(desk.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        told = f"expected a zone of the IANA database such as Europe/Berlin, found {desk.zone!r}"
        yield FieldProblem(".zone", told)
    if desk.currency is not None and not _CURRENCY.match(desk.currency):
        yield FieldProblem(".currency", f"expected a currency of ISO 4217 such as EUR, found {desk.currency!r}")
    yield from _priority_problems(desk)
    if desk.calendar is not None:
        for one in working_time.problems(desk.calendar):
            yield FieldProblem(f".calendar{one.path}", one.message)
    for name, texts in desk.texts.items():
        yield from label_problems(f".texts.{name}", texts)


def _priority_problems(desk: Desk) -> Iterator[FieldProblem]:
    if len(desk.priorities) > priorities_max:
        found = len(desk.priorities)
        yield FieldProblem(".priorities", f"expected at most {priorities_max} priorities, found {found}")
    for index, one in enumerate(desk.priorities):
        place = f".priorities[{index}]"
        if not names.is_name(one.name):
            yield FieldProblem(f"{place}.name", f"{names.EXPECTED}, found {one.name!r}")
        elif one.name in desk.priority_names[:index]:
            yield FieldProblem(f"{place}.name", f"expected each priority once, found {one.name} twice")
        yield from label_problems(f"{place}.label", one.label)
        if one.colour is not None and not _COLOUR.match(one.colour):
            yield FieldProblem(f"{place}.colour", f"expected a colour such as #dc2626, found {one.colour[:40]!r}")


def label_problems(place: str, label: Mapping[str, str] | None) -> Iterator[FieldProblem]:
    """Find what is wrong with a text in several languages: no text, a key that is no language, an empty text."""
    if label is None:
        return
    if not label:
        yield FieldProblem(place, "expected a text in at least one language")
    for tag, text in label.items():
        if not languages.is_tag(tag):
            yield FieldProblem(f"{place}.{tag}", _not_a_tag(tag))
        elif not text.strip():
            yield FieldProblem(f"{place}.{tag}", "expected a text in this language")


def _not_a_tag(found: str) -> str:
    dashed = found.replace("_", "-")
    hint = f"; did you mean {dashed}?" if dashed != found and languages.is_tag(dashed) else ""
    return f"expected a language tag (BCP 47) such as de or pt-BR, found {found!r}{hint}"


def missing(desk: Desk, label: Mapping[str, str]) -> list[str]:
    """Return the languages of the desk in which a text is missing."""
    return [tag for tag in desk.languages if languages.match(label, tag) is None]


def current() -> Desk:
    """Return the desk in force, at most limits.definition_cache_s old."""
    definition = store.latest(KIND, NAME)
    if definition is None:
        return UNDECLARED
    global _known
    known = _known
    if known is None or known[0] is not definition.body:
        known = _known = (definition.body, read(definition.body))
    return known[1]


_known: tuple[JsonObject, Desk] | None = None


def json_schema() -> JsonObject:
    """JSON Schema 2020-12 of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Desk)}
