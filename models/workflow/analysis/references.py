"""Names that lead nowhere: fields, teams, ticket types, variables of texts; and what is declared and never used."""

from __future__ import annotations

from collections.abc import Iterator

from models.infomodel import normal_form
from models.workflow import places, templates
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import TIME_SPENT, Effect


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _types(subject)
    yield from _locks(subject)
    yield from _fields(subject)
    yield from _teams(subject)
    yield from _priorities(subject)
    yield from _tickets(subject)
    yield from _variables(subject)
    yield from _unused(subject)


def _types(subject: Subject) -> Iterator[Finding]:
    for index, name in enumerate(subject.workflow.types):
        if subject.types is not None and name not in subject.types:
            yield error(
                "undefined_type",
                f".types[{index}]",
                f"there is no ticket type {name!r} in the information model",
            )


def _locks(subject: Subject) -> Iterator[Finding]:
    """States in which a field of a ticket type is locked and which the type's life cycle does not have."""
    for entity in subject.entities or []:
        if entity.workflow != subject.workflow.workflow:
            continue
        for name, field in entity.fields.items():
            for state in field.locked_in:
                if state not in subject.workflow.states:
                    told = f"{entity.name}.{name} is locked in {state!r}, which is no state of this life cycle"
                    yield error("undefined_state", ".states", told)


_OWN_FIELDS = {"priority", "team", "title", "type", "tags"}


def _fields(subject: Subject) -> Iterator[Finding]:
    known = subject.fields
    if known is None:
        return
    for place, field in _fields_named(subject):
        if field not in known:
            yield _no_field(place, field, known)
    for index, reaction in enumerate(subject.workflow.reactions):
        about = reaction.about if reaction.event == "field_changed" else None
        if about is not None and about not in known | _OWN_FIELDS:
            yield _no_field(f".reactions[{index}].field", about, known)
    yield from _constants(subject, known)
    yield from _dates(subject)


def _dates(subject: Subject) -> Iterator[Finding]:
    """Find timers whose field is no date."""
    for name, timer in subject.workflow.timers.items():
        for entity in (subject.entities or []) if timer.at is not None else []:
            field = entity.fields.get(timer.at.field) if timer.at is not None else None
            if field is not None and field.kind != "date":
                told = f"expected a field of the kind date, found {field.kind}"
                yield error("not_a_date", f".timers.{name}.at.field", told)


def _constants(subject: Subject, known: set[str]) -> Iterator[Finding]:
    for place, effect in places.effects(subject.workflow):
        for field, value in (effect.set or {}).items():
            if field in known and not (isinstance(value, dict) and list(value) == ["cel"]):
                yield from _value(subject, f"{place}.set.{field}", field, value)


def _fields_named(subject: Subject) -> Iterator[tuple[str, str]]:
    """Place and name of each field that a transition requires or an effect sets."""
    for name, transition in subject.workflow.transitions.items():
        for index, field in enumerate(transition.requires):
            if field == TIME_SPENT:
                continue
            yield f".transitions.{name}.requires[{index}]", field
        for index, field in enumerate(transition.approval.withdrawn_by if transition.approval else ()):
            yield f".transitions.{name}.approval.withdrawn_by[{index}]", field
    for name, timer in subject.workflow.timers.items():
        if timer.at is not None:
            yield f".timers.{name}.at.field", timer.at.field
    for place, effect in places.effects(subject.workflow):
        for field in effect.set or {}:
            yield f"{place}.set.{field}", field


def _no_field(place: str, field: str, known: set[str]) -> Finding:
    told = ", ".join(sorted(known)) or "none"
    return error("undefined_field", place, f"the information model has no field {field!r}; there are {told}")


def _value(subject: Subject, place: str, field: str, value: object) -> Iterator[Finding]:
    for entity in subject.entities or []:
        if field in entity.fields and value is not None:
            try:
                normal_form.normal(entity.fields[field], value)
            except ValueError as wrong:
                yield error("wrong_value", place, str(wrong))


def _teams(subject: Subject) -> Iterator[Finding]:
    if subject.teams is None:
        return
    for place, team in _teams_named(subject):
        if team not in subject.teams:
            known = ", ".join(sorted(subject.teams)) or "none"
            yield error(
                "undefined_team", place, f"there is no team {team!r}; there are {known} (workflow_defs/teams.yaml)"
            )


def _priorities(subject: Subject) -> Iterator[Finding]:
    """Find priorities that the desk does not have, so that lists cannot rank the tickets.

    A desk whose file names no priorities may have life cycles of earlier releases with words of their own.
    """
    if subject.desk is None:
        return
    ranked = subject.desk.priority_names
    for index, priority in enumerate(subject.workflow.priorities):
        if priority not in ranked:
            found = error if subject.desk.priorities else warning
            told = f"the desk has no priority {priority!r}; there are {', '.join(ranked)} (workflow_defs/desk.yaml)"
            yield found("undefined_priority", f".priorities[{index}]", told)


def _teams_named(subject: Subject) -> Iterator[tuple[str, str]]:
    """Place and name of each team."""
    for name, transition in subject.workflow.transitions.items():
        if transition.approval is not None:
            yield f".transitions.{name}.approval.team", transition.approval.team
        for index, who in enumerate(transition.who):
            if who.startswith("team:"):
                yield f".transitions.{name}.who[{index}]", who.removeprefix("team:")
    for place, effect in places.effects(subject.workflow):
        for key, team in _teams_of(effect):
            if team is not None:
                yield f"{place}{key}", team


def _teams_of(effect: Effect) -> Iterator[tuple[str, str | None]]:
    yield ".team", effect.team
    yield ".notify.team", effect.notify.team if effect.notify else None
    yield ".assign.team", effect.assign.team if effect.assign else None
    yield ".create_ticket.team", effect.create_ticket.team if effect.create_ticket else None


def _tickets(subject: Subject) -> Iterator[Finding]:
    for place, effect in places.effects(subject.workflow):
        if effect.type is not None and subject.types is not None and effect.type not in subject.types:
            yield error("undefined_type", f"{place}.type", f"there is no ticket type {effect.type!r}")
        made = effect.create_ticket
        if made is None:
            continue
        if subject.types is not None and made.type not in subject.types:
            yield error("undefined_type", f"{place}.create_ticket.type", f"there is no ticket type {made.type!r}")
        if made.workflow is not None and subject.workflows is not None and made.workflow not in subject.workflows:
            yield error(
                "undefined_workflow",
                f"{place}.create_ticket.workflow",
                f"there is no life cycle {made.workflow!r}",
            )


def _variables(subject: Subject) -> Iterator[Finding]:
    for name, template in subject.workflow.templates.items():
        for language, text in template.items():
            for problem in templates.problems(text, subject.fields):
                where = f"line {problem.line}: " if problem.line else ""
                yield error("undefined_variable", f".templates.{name}.{language}", where + problem.message)


def _unused(subject: Subject) -> Iterator[Finding]:
    workflow = subject.workflow
    effects = [effect for _, effect in places.effects(workflow)]
    used: dict[str, set[str | None]] = {
        "templates": {*(name for _, name in places.templates(workflow))},
        "webhooks": {effect.webhook for effect in effects},
        "calendars": {one.calendar for one in workflow.timers.values()} | {one.calendar for one in workflow.sla},
        "timers": {reaction.about for reaction in workflow.reactions if reaction.event == "timer"},
    }
    for section, names in used.items():
        for name in getattr(workflow, section):
            if name not in names:
                message = f"nothing uses it: a {section[:-1]} without effect"
                yield warning(f"unused_{section[:-1]}", f".{section}.{name}", message)
    yield from _undefined_tags(subject)


def _undefined_tags(subject: Subject) -> Iterator[Finding]:
    declared = subject.workflow.tags
    if not declared:
        return
    for place, effect in places.effects(subject.workflow):
        for tag in (*(effect.add_tags or []), *(effect.remove_tags or [])):
            if tag not in declared:
                yield error("undefined_tag", place, f"{tag!r} is none of the tags that the life cycle declares")
