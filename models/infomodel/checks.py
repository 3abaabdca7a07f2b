"""Check a definition of fields before it is published: names, labels, choices, defaults, patterns and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.definitions.desk import label_problems
from models.expressions import checker
from models.infomodel import normal_form
from models.infomodel.definition import TEXTS, Entity, Field, read
from models.infomodel.types import condition_environment
from models.kernel import limits, names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

# A longer list is a reference to something else.
choices_max = 200
pattern_chars_max = 200


def parse(body: JsonObject) -> Entity:
    """Read and check a definition. Raises Invalid with a path and what was expected for everything that is wrong."""
    entity = read(body)
    found = list(problems(entity))
    if found:
        raise Invalid(found)
    return entity


def problems(entity: Entity) -> Iterator[FieldProblem]:
    """Find everything that is wrong with a definition whose structure is right."""
    if (entity.type is None) == (entity.entity is None):
        yield FieldProblem("", "expected exactly one of type, entity")
    if entity.type is not None and not names.is_dashed_name(entity.type):
        yield FieldProblem(".type", "expected a name of lower-case letters, digits, - and _, at most 41 characters")
    yield from label_problems(".label", entity.label)
    if len(entity.fields) > limits.fields_max:
        yield FieldProblem(".fields", f"expected at most {limits.fields_max}, found {len(entity.fields)}")
    for name, field in entity.fields.items():
        if not names.is_name(name):
            yield FieldProblem(f".fields.{name}", names.EXPECTED)
        yield from _field(entity, f".fields.{name}", field)
    if entity.type is None and entity.open:
        yield FieldProblem(".open", "expected in ticket types only")
    if entity.type is None:
        for name, field in entity.fields.items():
            if field.locked_in:
                yield FieldProblem(f".fields.{name}.locked_in", "expected in ticket types only: a person has no state")


def _field(entity: Entity, place: str, field: Field) -> Iterator[FieldProblem]:
    """Find everything that is wrong with one field."""
    yield from label_problems(f"{place}.label", field.label)
    yield from label_problems(f"{place}.help", field.help)
    yield from _choices(place, field)
    yield from _currencies(place, field)
    yield from _bounds(place, field)
    yield from _pattern(place, field)
    yield from _conditions(entity, place, field)
    yield from _requirement(entity, place, field)
    yield from _default(place, field)


def _choices(place: str, field: Field) -> Iterator[FieldProblem]:
    if (field.kind in ("choice", "multi_choice")) != bool(field.choices):
        yield FieldProblem(f"{place}.choices", "expected choices, for choice and multi_choice and only there")
    if len(field.choices) > choices_max:
        yield FieldProblem(f"{place}.choices", f"expected at most {choices_max}, found {len(field.choices)}")
    for name, choice in field.choices.items():
        if not names.is_name(name):
            yield FieldProblem(f"{place}.choices.{name}", names.EXPECTED)
        yield from label_problems(f"{place}.choices.{name}.label", choice.label)


def _currencies(place: str, field: Field) -> Iterator[FieldProblem]:
    wanted = field.kind == "money"
    if bool(field.currencies) != wanted or not all(re.match("^[A-Z]{3}$", code) for code in field.currencies):
        yield FieldProblem(
            f"{place}.currencies", "expected currencies of ISO 4217 such as [EUR], for money and only there"
        )


# The two ends of a range, and the kinds that have it.
_RANGES = (
    ("min", "max", ("number", "money", "duration")),
    ("min_length", "max_length", TEXTS),
)


def _bounds(place: str, field: Field) -> Iterator[FieldProblem]:
    for low, high, kinds in _RANGES:
        least, most = getattr(field, low), getattr(field, high)
        if (least is not None or most is not None) and field.kind not in kinds:
            named = low if least is not None else high
            yield FieldProblem(f"{place}.{named}", f"expected with {', '.join(kinds)} only")
        if least is not None and most is not None and least > most:
            yield FieldProblem(f"{place}.{low}", f"expected at most {high} ({most}), found {least}")


def _requirement(entity: Entity, place: str, field: Field) -> Iterator[FieldProblem]:
    """Find requirements that no person can meet."""
    if field.required and field.required_when is not None:
        yield FieldProblem(f"{place}.required_when", "expected only one of required, required_when")
    if field.retired and (field.required or field.required_when):
        yield FieldProblem(f"{place}.required", "a retired field cannot be required: nobody may fill it in")
    agents_cannot = bool(field.edit) and "agent" not in field.edit
    if field.required and agents_cannot and entity.type is not None and field.default is None:
        yield FieldProblem(f"{place}.edit", "the field is required and agents may not fill it in; give it a default")


def _default(place: str, field: Field) -> Iterator[FieldProblem]:
    if field.default is None:
        return
    try:
        normal_form.normal(field, field.default)
    except ValueError as error:
        yield FieldProblem(f"{place}.default", str(error))


# Patterns on which Python's engine backtracks without end: a repeated group that itself repeats, and backreferences.
_COSTLY = re.compile(r"\([^)]*[*+{][^)]*\)[*+{]|\\[1-9]|\(\?[=!<P]")


def _pattern(place: str, field: Field) -> Iterator[FieldProblem]:
    if field.pattern is None:
        return
    if field.kind not in TEXTS:
        yield FieldProblem(f"{place}.pattern", f"expected with {', '.join(TEXTS)} only")
    if len(field.pattern) > pattern_chars_max:
        yield FieldProblem(f"{place}.pattern", f"expected at most {pattern_chars_max} characters")
    elif _COSTLY.search(field.pattern):
        yield FieldProblem(
            f"{place}.pattern",
            "a repeated group that repeats inside, a look-around or a backreference may run for ever",
        )
    else:
        try:
            re.compile(field.pattern)
        except re.error as error:
            yield FieldProblem(f"{place}.pattern", f"not a regular expression: {error}")


def _conditions(entity: Entity, place: str, field: Field) -> Iterator[FieldProblem]:
    if field.required_when is None and field.visible_when is None:
        return
    for key in ("required_when", "visible_when"):
        text = getattr(field, key)
        for problem in checker.check(text, condition_environment(entity)) if text is not None else ():
            yield FieldProblem(f"{place}.{key}", f"at character {problem.offset + 1}: {problem.message}")
