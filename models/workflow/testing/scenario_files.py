"""The form of a scenario file: given, when, then."""

from __future__ import annotations

import msgspec

from models.definitions import shape
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.workflow.definition import Category
from models.workflow.instance import Strategy


class Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody in a scenario."""

    role: str = "agent"
    teams: list[str] = []
    email: str = ""


class Blockers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers of tickets that block the ticket of a scenario."""

    total: int = 0
    open: int = 0


class Children(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers of children of the ticket of a scenario."""

    total: int = 0
    open: int = 0
    done: int = 0


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket at the beginning. `text`, `automatic`, `by_machine`: those of its first message; `by` opens it.

    `children`, `blockers`: the numbers of linked tickets, as conditions read them. `assignment`: team -> the strategy
    by which it assigns the tickets that enter it; `manual` for other teams.
    """

    at: str = "2026-11-23T09:00:00+01:00"
    type: str | None = None
    priority: str = "normal"
    title: str = "A question"
    text: str = ""
    channel: str = "email"
    contact: str | None = None
    automatic: str = ""
    by_machine: bool | None = None
    by: str = "requester"
    requester: JsonObject = {}
    organisation: JsonObject = {}
    fields: JsonObject = {}
    children: Children = Children()
    blockers: Blockers = Blockers()
    assignment: dict[str, Strategy] = {}


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    by: str
    comment: str | None = None
    fields: JsonObject = {}


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
    fields: JsonObject = {}


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    payload: JsonObject = {}


class Happened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    name: str = ""
    payload: JsonObject = {}


class Arrival(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket got the type `type`; before, it was in a state of another life cycle."""

    type: str
    from_: str = msgspec.field(name="from")
    state: str
    category: Category = "todo"


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of the requester. Without `by_machine`, a message that is automatic, other than "bulk" and "own", is a
    machine's.
    """

    text: str = ""
    automatic: str = ""
    by_machine: bool | None = None


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The happening of a step; exactly one key is set."""

    message: Message | None = None
    reply: str | None = None
    note: str | None = None
    transition: Move | None = None
    vote: Vote | None = None
    assign: Assignment | None = None
    change: Changed | None = None
    signal: Named | None = None
    event: Happened | None = None
    arrive: Arrival | None = None
    wait: str | None = None


class Then(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The expected consequences of a step and the ticket after it. Keys that are left out are not compared."""

    state: str | None = None
    assignee: str | None = None
    team: str | None = None
    priority: str | None = None
    tags: list[str] | None = None
    fields: JsonObject | None = None
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


def parse(body: JsonObject) -> ScenarioFile:
    """Read a scenario file. Raises Invalid with the path of what is wrong."""
    found = shape.convert(body, ScenarioFile)
    problems = []
    for number, case in enumerate(found.cases):
        for index, step in enumerate(case.steps):
            named = [name for name in When.__struct_fields__ if step.when and getattr(step.when, name) is not None]
            if len(named) != 1 and not (index == 0 and step.when is None):
                told = f"expected exactly one of {', '.join(When.__struct_fields__)}"
                problems.append(FieldProblem(f".cases[{number}].steps[{index}].when", told))
    if problems:
        raise Invalid(problems)
    return found
