"""Scenarios: examples of a life cycle that run (given, when, then, with a clock of their own).

A scenario is a ticket in memory (`simulation`); what its steps expect is compared with what followed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from models.definitions.desk import UNDECLARED, Desk
from models.expressions.durations import parse_duration
from models.infomodel import locks, values
from models.infomodel.definition import Entity
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.sla.clocks import status
from models.workflow import acts
from models.workflow.acts import AnyAct
from models.workflow.definition import Workflow
from models.workflow.execution.reclassification import arrival
from models.workflow.instance import Instance, Step
from models.workflow.testing.scenario_files import Case, Given, ScenarioFile, StepSpec, Then, When, parse
from models.workflow.testing.simulation import Entry, Person, Simulation, TooManyFirings

__all__ = ["Failure", "Result", "ScenarioFile", "parse", "run", "standing", "step_through"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that failed, and the value that was found. `step`: its number from 1; 0 is the start."""

    step: int
    what: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario's outcome; `log` is everything that happened in it."""

    case: str
    failures: tuple[Failure, ...]
    log: tuple[Entry, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


def run(workflow: Workflow, file: ScenarioFile, types: Mapping[str, Entity], desk: Desk = UNDECLARED) -> list[Result]:
    """Run every scenario of a file."""
    return [_run(workflow, file, case, types, desk) for case in file.cases]


def step_through(
    workflow: Workflow, file: ScenarioFile, types: Mapping[str, Entity], desk: Desk = UNDECLARED
) -> Simulation:
    """The first case of a file, without judging it. Raises Invalid for a step that cannot happen."""
    [case, *_] = file.cases
    simulation, steps = _begin(workflow, file, case, types, desk)
    for index, step in enumerate(steps):
        assert step.when is not None, "parse refused a step without `when`"
        try:
            _happen(simulation, step.when)
        except (KeyError, ValueError, TooManyFirings) as error:
            raise Invalid([FieldProblem(f"/steps/{index}", str(error))]) from error
    return simulation


def _begin(
    workflow: Workflow, file: ScenarioFile, case: Case, types: Mapping[str, Entity], desk: Desk
) -> tuple[Simulation, list[StepSpec]]:
    """A ticket as `given` says, and the steps that follow. Raises Invalid."""
    given = case.given
    people = [Person(name, name, one.role, one.email, tuple(one.teams)) for name, one in file.people.items()]
    try:
        at = datetime.fromisoformat(given.at)
        if at.tzinfo is None:
            raise ValueError
    except ValueError as error:
        raise Invalid(
            [FieldProblem("/given/at", f"expected an instant such as {Given.at}, found {given.at!r}")]
        ) from error
    simulation = Simulation(
        workflow,
        at,
        people,
        requester={"id": "requester", "name": "Ada", "locale": desk.fallback}
        | _with_fields(given.requester, types.get("entity.requester")),
        organisation=_with_fields(given.organisation, types.get("entity.organisation")),
        linked={name: msgspec.structs.asdict(getattr(given, name)) for name in ("children", "blockers")},
        strategies=given.assignment,
        desk=desk,
        fields_view=lambda type_, fields: (values.view_values(types.get(type_), fields), values.filled(fields)),
        validate=lambda ticket, wanted: _validated(types.get(ticket.type), ticket, wanted),
        missing=lambda ticket: values.missing(types.get(ticket.type), ticket.fields, ticket.model_view()),
        check_new=lambda type_, fields, priority: _check_new(types.get(type_), type_, fields, priority),
        locked=lambda type_, state: locks.locked(types.get(type_), state),
    )
    type_ = given.type or (workflow.types[0] if workflow.types else "question")
    steps = list(case.steps)
    if steps and steps[0].when is None:
        steps.pop(0)
    if given.by != "requester" and given.by not in file.people:
        raise Invalid([FieldProblem("/given/by", f"expected requester or one of the people, found {given.by!r}")])
    simulation.create(
        title=given.title,
        type=type_,
        priority=given.priority,
        channel=given.channel,
        contact_channel=given.contact,
        fields=_first_fields(types.get(type_), type_, given),
        automatic=given.automatic,
        by_machine=given.by_machine,
        text=given.text,
        by=given.by,
    )
    return simulation, steps


def _run(workflow: Workflow, file: ScenarioFile, case: Case, types: Mapping[str, Entity], desk: Desk) -> Result:
    try:
        simulation, steps = _begin(workflow, file, case, types, desk)
    except Invalid as error:
        return Result(case.name, (Failure(0, "given", "a ticket that can be", str(error)),), ())
    first = case.steps[0].then if len(steps) < len(case.steps) else Then()
    failures = _compare(simulation, 0, first, simulation.log)
    for index, step in enumerate(steps, start=1):
        before = len(simulation.log)
        assert step.when is not None, "parse refused a step without `when`"
        try:
            _happen(simulation, step.when)
        except (KeyError, ValueError, Invalid, TooManyFirings) as error:
            failures.append(Failure(index, "when", "something that can happen", str(error)))
            break
        failures.extend(_compare(simulation, index, step.then, simulation.log[before:]))
    return Result(case.name, tuple(failures), tuple(simulation.log))


def _with_fields(given: JsonObject, entity: Entity | None) -> JsonObject:
    """Return a person or an organisation with every declared field, as conditions read them."""
    return {**given, "fields": values.view_values(entity, given.get("fields") or {})}


def _first_fields(entity: Entity | None, type_: str, given: Given) -> JsonObject:
    if entity is None:
        return dict(given.fields)
    view = {"ticket": {"type": type_, "priority": given.priority}}
    return values.validated(entity, given.fields, before={}, role="automation", view=view, complete=False, fresh=True)


def _validated(entity: Entity | None, ticket: Instance, wanted: Mapping[str, Any]) -> JsonObject:
    if entity is None:
        return {**ticket.fields, **wanted}
    return values.validated(
        entity,
        wanted,
        before=ticket.fields,
        role="automation",
        view=ticket.model_view(),
        complete=False,
        fresh=False,
    )


def _check_new(entity: Entity | None, type_: str, fields: Mapping[str, Any], priority: str) -> None:
    """Check the fields of a ticket that a rule makes. Raises Invalid."""
    if entity is not None:
        view = {"ticket": {"type": type_, "priority": priority}}
        values.validated(entity, fields, before={}, role="automation", view=view, complete=True, fresh=True)


def _happen(simulation: Simulation, when: When) -> Step | list[Step] | None:
    """Let the one happening that is set happen; `parse` saw that exactly one is."""
    for name, happen in _HAPPENINGS.items():
        wanted = getattr(when, name)
        if wanted is not None:
            return happen(simulation, wanted)
    raise AssertionError("parse saw that one is set")


_HAPPENINGS: dict[str, Callable[[Simulation, Any], Step | list[Step] | None]] = {
    "message": lambda simulation, one: simulation.message(one.text, automatic=one.automatic, by_machine=one.by_machine),
    "reply": lambda simulation, by: simulation.reply(by),
    "note": lambda simulation, by: simulation.note(by),
    "transition": lambda simulation, one: simulation.transition(
        one.name, one.by, comment=one.comment, fields=one.fields
    ),
    "vote": lambda simulation, one: simulation.vote(one.on, one.by, one.vote, comment=one.comment),
    "assign": lambda simulation, one: simulation.assign(one.to, one.by),
    "change": lambda simulation, one: simulation.change(one.by, priority=one.priority, fields=one.fields),
    "signal": lambda simulation, one: simulation.signal(one.name, one.payload),
    "event": lambda simulation, one: simulation.event(one.type, one.name, one.payload),
    "arrive": lambda simulation, one: simulation.arrive(
        arrival(simulation.workflow, one.from_, one.state, one.category)[0], type=one.type
    ),
    "wait": lambda simulation, text: simulation.advance(seconds=parse_duration(text)),
}


def _compare(simulation: Simulation, index: int, then: Then, log: list[Entry]) -> list[Failure]:
    followed = [act for entry in log for act in entry.acts]
    found = standing(simulation) | _followed(followed, log)
    failures = []
    for name in Then.__struct_fields__:
        expected = getattr(then, name)
        if expected is not None and not _LIKE.get(name, _equal)(expected, found[name]):
            failures.append(Failure(index, name, expected, found[name]))
    return failures


def standing(simulation: Simulation) -> JsonObject:
    """Collect the facts about the ticket after a step."""
    ticket = simulation.instance
    return {
        "state": ticket.state,
        "assignee": ticket.assignee,
        "team": ticket.team,
        "priority": ticket.priority,
        "tags": list(ticket.tags),
        "fields": dict(ticket.fields),
        "timers": sorted(name for name in simulation.timers if ":" not in name),
        "sla": {target: status(clock) for target, clock in ticket.clocks.items()},
        "approvals": sorted(ticket.approvals),
    }


def _followed(followed: list[AnyAct], log: list[Entry]) -> JsonObject:
    """Collect the consequences of a step under the names that `then` uses."""
    sent = [act for act in followed if isinstance(act, acts.MessageSent | acts.RatingAsked)]
    templates = [act.template for act in sent]
    reasons = [reason for act in _of(followed, acts.Refused) for reason in act.reasons]
    return {
        "sent": templates,
        "not_sent": templates,
        "says": "\n".join(act.text for act in sent),
        "notified": _notified(_of(followed, acts.Notified)),
        "charged": [
            f"{act.charge_kind} {act.amount_minor / 100:.2f} {act.currency}" for act in _of(followed, acts.Charged)
        ],
        "webhooks": [act.webhook for act in _of(followed, acts.WebhookCalled)],
        "tickets_made": [act.type for act in _of(followed, acts.TicketMade)],
        "withheld": [act.effect for act in _of(followed, acts.Withheld)],
        "acted": _rules(log, "acted"),
        "silent": _rules(log, "silent"),
        "refused": "; ".join(reasons),
    }


_A = TypeVar("_A", bound=acts.Act)


def _of(followed: list[AnyAct], kind: type[_A]) -> list[_A]:
    return [act for act in followed if isinstance(act, kind)]


def _notified(notices: list[acts.Notified]) -> list[str]:
    return list(dict.fromkeys(act.team or user for act in notices for user in act.users))


def _rules(log: list[Entry], outcome: str) -> list[str]:
    return [trace.rule for entry in log for trace in entry.traces if trace.outcome == outcome]


def _equal(expected: Any, found: Any) -> bool:
    return bool(expected == found)


def _as_sets(expected: Any, found: Any) -> bool:
    return sorted(map(str, expected)) == sorted(map(str, found))


def _subset(expected: Any, found: Any) -> bool:
    return all(found.get(key) == value for key, value in expected.items())


def _text_in(expected: Any, found: Any) -> bool:
    return expected in found if expected else not found


_LIKE: dict[str, Callable[[Any, Any], bool]] = {
    "fields": _subset,
    "sla": _subset,
    "timers": _as_sets,
    "tags": _as_sets,
    "notified": _as_sets,
    "not_sent": lambda expected, found: not set(expected) & set(found),
    "acted": lambda expected, found: set(expected) <= set(found),
    "silent": lambda expected, found: set(expected) <= set(found),
    "says": _text_in,
    "refused": _text_in,
}
