"""Values of another kind than their field, facts that an event does not have, and people who are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.expressions import checker, parts
from models.expressions.types import DYN, INT, NULL, NUMBERS, STRING, TIMESTAMP, ListType, MapType, Record, Type
from models.infomodel import types as model_types
from models.infomodel.definition import Entity
from models.workflow import places, templates
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import NAMED_EVENTS

_TEXT_KINDS = (STRING, TIMESTAMP)  # an instant becomes its text


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _values(subject)
    yield from _event_facts(subject)
    yield from _people(subject)
    yield from _languages(subject)


def _values(subject: Subject) -> Iterator[Finding]:
    """Find expressions that give a field a value of another kind."""
    for place, effect in places.effects(subject.workflow):
        for name, value in (effect.set or {}).items():
            if not (isinstance(value, dict) and list(value) == ["cel"] and isinstance(value["cel"], str)):
                continue
            if checker.check(value["cel"], subject.environment, wanted=None):
                continue  # told with the conditions
            found = checker.type_of(value["cel"], subject.environment)
            for entity in subject.entities or []:
                if name in entity.fields and not _is_kept(found, wanted := model_types.type_of(entity.fields[name])):
                    told = f"{entity.name}.{name} is a {wanted}, and the expression gives a {found}"
                    yield error("wrong_value", f"{place}.set.{name}.cel", told)
                    break


def _is_kept(found: Type, wanted: Type) -> bool:
    if DYN in (found, wanted) or found in (wanted, NULL) or (found in NUMBERS and wanted in (*NUMBERS, INT)):
        return True
    if wanted == STRING:
        return found in _TEXT_KINDS
    if isinstance(wanted, ListType):
        return isinstance(found, ListType)
    return isinstance(wanted, Record) and isinstance(found, MapType | Record)


# Facts of an event, and the events that have them. `name` is a fact of every event that is about something.
_FACTS: dict[str, tuple[str, ...]] = {
    "payload": ("signal",),
    "before": ("field_changed",),
    "after": ("field_changed",),
    "count": ("timer",),
    "name": (*NAMED_EVENTS, "webhook_failed", "linked_ticket_done", "rated"),
}


def _event_facts(subject: Subject) -> Iterator[Finding]:
    for index, reaction in enumerate(subject.workflow.reactions):
        read = [(f".reactions[{index}].when", reaction.when)]
        read += [(f".reactions[{index}].do[{number}].when", one.when) for number, one in enumerate(reaction.do)]
        for place, text in read:
            for path in parts.reads(text) if text is not None else ():
                fact = path.removeprefix("event.").partition(".")[0] if path.startswith("event.") else ""
                if fact in _FACTS and reaction.event not in _FACTS[fact]:
                    told = (
                        f"{reaction.event} has no event.{fact}; only {', '.join(_FACTS[fact])} have: correct the name"
                    )
                    yield error("no_event_fact", place, told)


def _people(subject: Subject) -> Iterator[Finding]:
    """A warning: a person may be invited after the definition is written."""
    if subject.people is None:
        return
    known = {one.casefold() for one in subject.people}
    for place, effect in places.effects(subject.workflow):
        for key, user in (
            ("notify", effect.notify.user if effect.notify else None),
            ("assign", effect.assign.user if effect.assign else None),
        ):
            if user is not None and user.casefold() not in known:
                yield warning("unknown_person", f"{place}.{key}.user", f"there is no active user {user!r}")


def _languages(subject: Subject) -> Iterator[Finding]:
    """Find variables that a text has in one language and lacks in another."""
    for name, template in subject.workflow.templates.items():
        if any(templates.problems(text, None) for text in template.values()):
            continue  # told with the variables
        variables = {language: set(templates.reads(text)) for language, text in template.items()}
        every = set().union(*variables.values())
        for language, found in variables.items():
            if lacks := sorted(every - found):
                others = ", ".join(sorted(one for one, these in variables.items() if set(lacks) <= these))
                told = f"the text in {language!r} lacks {', '.join(lacks)}, which {others or 'another language'} has"
                yield warning("variable_lacking", f".templates.{name}.{language}", told)


def unseen(subject: Subject) -> Iterator[tuple[str, Entity, str, list[str]]]:
    """Yield (place, type, field, roles) of the fields that a transition requires and that a role which may make the
    transition cannot see or edit.
    """
    for name, transition in subject.workflow.transitions.items():
        for index, field in enumerate(transition.requires):
            for entity in subject.entities or []:
                model = entity.fields.get(field)
                if model is None:
                    continue
                roles = [one for one in ("manager", "accountant", "agent") if one in transition.who]
                barred: list[str] = [one for one in roles if not (_may(one, model.see) and _may(one, model.edit))]
                if "requester" in transition.who and model.portal != "edit":
                    barred.append("requester")
                if barred:
                    yield f".transitions.{name}.requires[{index}]", entity, field, barred


def _may(role: str, roles: Sequence[str]) -> bool:
    return not roles or role in roles
