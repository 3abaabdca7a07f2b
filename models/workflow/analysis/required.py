"""Values that the information model requires: of made tickets, and after a change of another value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from models.expressions import truth
from models.infomodel import values
from models.infomodel.definition import Entity
from models.kernel.errors import Invalid
from models.workflow import places
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Effect


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _made_tickets(subject)
    for place, do, conditions, required in _lists(subject):
        yield from _changes(subject, place, do, conditions, required)


def _made_tickets(subject: Subject) -> Iterator[Finding]:
    """A ticket that a rule makes must have every field that its type requires of a new ticket."""
    for place, effect in places.effects(subject.workflow):
        made = effect.create_ticket
        entity = (subject.types or {}).get(made.type) if made is not None else None
        if made is None or entity is None:
            continue
        view = {"ticket": {"type": made.type, "priority": made.priority or "normal"}}
        try:
            values.validated(
                entity, made.fields, before={}, role="automation", view=view, complete=True, fresh=True, path=""
            )
        except Invalid as refused:
            for problem in refused.problems:
                told = f"a new {made.type} is refused: {problem.message}"
                yield error("refused_field", f"{place}.create_ticket.fields{problem.path.replace('/', '.')}", told)


def _lists(subject: Subject) -> Iterator[tuple[str, Sequence[Effect], list[str], Sequence[str]]]:
    """Every list of effects with its path, the conditions that hold before it, and the fields that have a value."""
    for name, transition in subject.workflow.transitions.items():
        guard = [transition.guard] if transition.guard else []
        yield f".transitions.{name}.do", transition.do, guard, transition.requires
    for index, reaction in enumerate(subject.workflow.reactions):
        yield f".reactions[{index}].do", reaction.do, [reaction.when] if reaction.when else [], ()


def _changes(
    subject: Subject, place: str, do: Sequence[Effect], conditions: list[str], required: Sequence[str]
) -> Iterator[Finding]:
    """Warn of a change after which the model requires a field that nothing fills in before: it may be withheld."""
    filled = set(required)
    for index, effect in enumerate(do):
        filled |= {name for name, value in (effect.set or {}).items() if value is not None}
        known = " ".join([*conditions, effect.when or ""])
        for path, value in _new_values(effect):
            for entity in subject.entities or []:
                for name in _demanded(subject, entity, path, value):
                    if name in filled or re.search(rf"\b{re.escape(name)}\b", known):
                        continue
                    told = (
                        f"{path} = {value!r} makes the field {name} required, and this effect does not happen while it"
                        f" is empty: set {name} before it, or ask for it in the condition"
                    )
                    yield warning("may_miss_required_field", f"{place}[{index}]", told)


def _new_values(effect: Effect) -> Iterator[tuple[str, Any]]:
    if effect.priority is not None:
        yield "ticket.priority", effect.priority
    for name, value in (effect.set or {}).items():
        if isinstance(value, str | int | float | bool):
            yield f"fields.{name}", value


def _demanded(subject: Subject, entity: Entity, path: str, value: Any) -> Iterator[str]:
    """Return the fields without a default whose condition reads the path and can hold with the value."""
    domains = subject.domains()
    for name, field in entity.fields.items():
        condition = field.required_when
        if condition is None or field.retired or field.default is not None or path == f"fields.{name}":
            continue
        if (
            re.search(rf"\b{re.escape(path)}\b", condition)
            and truth.truth(condition, {**domains, path: (value,)}) is not False
        ):
            yield name
