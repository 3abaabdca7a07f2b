"""Scenarios: examples of a life cycle that run (given, when, then, with a clock of their own).

A scenario is a ticket in memory (`simulation`); what its steps expect is compared with what followed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from models.definitions import shape
from models.infomodel import values
from models.infomodel.definition import Entity
from models.kernel.errors import FieldProblem, Invalid
from models.sla.clocks import status
from models.workflow.definition import Workflow
from models.workflow.durations import parse_duration
from models.workflow.instance import Act, Step
from models.workflow.simulation import Entry, Person, Simulation


class Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody in a scenario."""

    role: str = "agent"
    teams: list[str] = []
    email: str = ""


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket at the beginning. `automatic`: what a machine's first message is called; `by`: who opens it."""

    at: str = "2026-11-23T09:00:00+01:00"
    type: str | None = None
    priority: str = "normal"
    title: str = "A question"
    channel: str = "email"
    contact: str | None = None
    automatic: str = ""
    by: str = "requester"
    requester: dict[str, Any] = {}
    fields: dict[str, Any] = {}


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    by: str
    comment: str | None = None
    fields: dict[str, Any] = {}


class Vote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    on: str
    by: str
    vote: str
    comment: str | None = None


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: str | None
    by: str


class Changed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    by: str
    priority: str | None = None
    fields: dict[str, Any] = {}


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    payload: dict[str, Any] = {}


class Happened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    name: str = ""
    payload: dict[str, Any] = {}


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    automatic: str = ""


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens; exactly one of them."""

    message: Message | None = None
    reply: str | None = None
    note: str | None = None
    transition: Move | None = None
    vote: Vote | None = None
    assign: Assignment | None = None
    change: Changed | None = None
    signal: Named | None = None
    event: Happened | None = None
    wait: str | None = None


class Then(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What follows from the step, and what stands after it; what is left out is not looked at."""

    state: str | None = None
    assignee: str | None = None
    team: str | None = None
    priority: str | None = None
    tags: list[str] | None = None
    fields: dict[str, Any] | None = None
    timers: list[str] | None = None
    sla: dict[str, str] | None = None
    approvals: list[str] | None = None
    sent: list[str] | None = None
    not_sent: list[str] | None = None
    says: str | None = None
    notified: list[str] | None = None
    charged: list[str] | None = None
    webhooks: list[str] | None = None
    tickets_made: list[str] | None = None
    withheld: list[str] | None = None
    acted: list[str] | None = None
    silent: list[str] | None = None
    refused: str | None = None


class StepSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    when: When | None = None
    then: Then = Then()


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    steps: list[StepSpec]
    given: Given = Given()


class ScenarioFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of scenarios of one life cycle."""

    scenarios: str
    cases: list[Case]
    people: dict[str, Cast] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a step expected and what was found. `step`: its number from 1; 0 is the beginning."""

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


def parse(body: dict[str, Any]) -> ScenarioFile:
    """Read a scenario file. Raises Invalid with the path of what is wrong."""
    found = shape.convert(body, ScenarioFile)
    problems = []
    for number, case in enumerate(found.cases):
        for index, step in enumerate(case.steps):
            named = [
                name for name in When.__struct_fields__ if step.when and getattr(step.when, name) is not None
            ]
            if len(named) != 1 and not (index == 0 and step.when is None):
                told = f"expected exactly one of {', '.join(When.__struct_fields__)}"
                problems.append(FieldProblem(f".cases[{number}].steps[{index}].when", told))
    if problems:
        raise Invalid(problems)
    return found


def run(workflow: Workflow, file: ScenarioFile, types: Mapping[str, Entity]) -> list[Result]:
    """Run every scenario of a file."""
    return [_run(workflow, file, case, types) for case in file.cases]


def _run(workflow: Workflow, file: ScenarioFile, case: Case, types: Mapping[str, Entity]) -> Result:
    given = case.given
    people = [Person(name, name, one.role, one.email, tuple(one.teams)) for name, one in file.people.items()]
    simulation = Simulation(
        workflow, datetime.fromisoformat(given.at), people, requester={"id": "requester", "name": "Ada", "locale": "en"} | given.requester,
        fields_view=lambda type_, fields: (values.view_values(types.get(type_), fields), values.filled(fields)),
        validate=lambda type_, before, wanted: _validated(types.get(type_), before, wanted),
    )  # fmt: skip
    type_ = given.type or (workflow.types[0] if workflow.types else "question")
    failures: list[Failure] = []
    steps = list(case.steps)
    first = steps.pop(0).then if steps and steps[0].when is None else Then()
    simulation.create(
        title=given.title, type=type_, priority=given.priority, channel=given.channel, contact_channel=given.contact,
        fields=_validated(types.get(type_), {}, given.fields), automatic=given.automatic, by=given.by,
    )  # fmt: skip
    failures.extend(_compare(simulation, 0, first, simulation.log))
    for index, step in enumerate(steps, start=1):
        before = len(simulation.log)
        assert step.when is not None, "parse refused a step without `when`"
        try:
            _happen(simulation, step.when)
        except (KeyError, ValueError, Invalid) as error:
            failures.append(Failure(index, "when", "something that can happen", str(error)))
            break
        failures.extend(_compare(simulation, index, step.then, simulation.log[before:]))
    return Result(case.name, tuple(failures), tuple(simulation.log))


def _validated(entity: Entity | None, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    if entity is None:
        return {**before, **wanted}
    return values.validated(entity, wanted, before=before, role="automation", view=None, complete=False)


def _happen(simulation: Simulation, when: When) -> Step | list[Step] | None:
    if when.message is not None:
        return simulation.message(automatic=when.message.automatic)
    if when.reply is not None:
        return simulation.reply(when.reply)
    if when.note is not None:
        return simulation.note(when.note)
    if (move := when.transition) is not None:
        return simulation.transition(move.name, move.by, comment=move.comment, fields=move.fields)
    if (vote := when.vote) is not None:
        return simulation.vote(vote.on, vote.by, vote.vote, comment=vote.comment)
    if when.assign is not None:
        return simulation.assign(when.assign.to, when.assign.by)
    if (change := when.change) is not None:
        return simulation.change(change.by, priority=change.priority, fields=change.fields)
    if when.signal is not None:
        return simulation.signal(when.signal.name, when.signal.payload)
    if when.event is not None:
        return simulation.event(when.event.type, when.event.name, when.event.payload)
    assert when.wait is not None, "parse saw that one is set"
    return simulation.advance(seconds=parse_duration(when.wait))


def _compare(simulation: Simulation, index: int, then: Then, log: list[Entry]) -> list[Failure]:
    acts = [act for entry in log for act in entry.acts]
    found = _standing(simulation) | _followed(acts, log)
    failures = []
    for name in Then.__struct_fields__:
        expected = getattr(then, name)
        if expected is not None and not _LIKE.get(name, _equal)(expected, found[name]):
            failures.append(Failure(index, name, expected, found[name]))
    return failures


def _standing(simulation: Simulation) -> dict[str, Any]:
    """What is so after a step."""
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


def _followed(acts: list[Act], log: list[Entry]) -> dict[str, Any]:
    """What happened in a step."""

    def of(kind: str, key: str) -> list[Any]:
        return [act.details[key] for act in acts if act.kind == kind]

    sent = [act for act in acts if act.kind in ("message_sent", "rating_asked")]
    templates = [act.details["template"] for act in sent]
    money = [act.details for act in acts if act.kind == "charged"]
    notified = [
        act.details["team"] or user for act in acts if act.kind == "notified" for user in act.details["users"]
    ]
    return {
        "sent": templates,
        "not_sent": templates,
        "says": "\n".join(act.details["text"] for act in sent),
        "notified": list(dict.fromkeys(notified)),
        "charged": [f"{one['kind']} {one['amount_minor'] / 100:.2f} {one['currency']}" for one in money],
        "webhooks": of("webhook_called", "webhook"),
        "tickets_made": of("ticket_made", "type"),
        "withheld": of("withheld", "effect"),
        "acted": [look.rule for entry in log for look in entry.looks if look.outcome == "acted"],
        "silent": [look.rule for entry in log for look in entry.looks if look.outcome == "silent"],
        "refused": "; ".join(
            reason for act in acts if act.kind == "refused" for reason in act.details["reasons"]
        ),
    }


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
