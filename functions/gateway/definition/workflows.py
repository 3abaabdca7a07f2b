"""/v1/workflows: life cycles as published; drafts are checked, planned, simulated and published."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from functions.gateway.definition import drafts
from functions.http.operations import Answer, AnyCall, Call, Cost, Operations
from functions.views.simulation_views import Simulation
from functions.views.texts import Comment
from models.definitions import store
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.publishing import publishing

operations = Operations()

Source = Annotated[str, msgspec.Meta(min_length=1, max_length=drafts.source_chars_max)]


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """A definition as YAML text."""

    source: Source


class NewVersion(msgspec.Struct, forbid_unknown_fields=True):
    """A version to publish and put in force."""

    source: Source
    reason: Comment = "published over the API"


class VersionInForce(msgspec.Struct, forbid_unknown_fields=True):
    """The published version on which new tickets start."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    reason: Comment = "put in force over the API"


class Simulated(msgspec.Struct, forbid_unknown_fields=True):
    """The input of a simulation: a draft (default: the version in force), a ticket and its steps, written as in
    scenario files.
    """

    source: Source | None = None
    people: JsonObject = {}
    given: JsonObject = {}
    steps: Annotated[list[JsonObject], msgspec.Meta(max_length=drafts.steps_max)] = []


class WorkflowSummary(msgspec.Struct):
    """A life cycle in force."""

    name: str
    version: int
    label: dict[str, str]
    states: int
    transitions: int


class Workflows(msgspec.Struct):
    """All life cycles in force, by name."""

    items: list[WorkflowSummary]


class WorkflowDetail(msgspec.Struct):
    """One version of a life cycle, as data and as YAML text."""

    name: str
    version: int
    definition: JsonObject
    source: str


class Activation(msgspec.Struct):
    """The activation of a version: time, person and reason."""

    activated_at: datetime
    activated_by: str
    reason: str


class Version(msgspec.Struct):
    """A published version."""

    version: int
    sha256: str
    published_at: datetime
    published_by: str
    in_force: bool
    activations: list[Activation]


class Versions(msgspec.Struct):
    """The published versions of a life cycle."""

    items: list[Version]


class FindingShown(msgspec.Struct):
    """An error or a warning about a draft. Line and column start at 1; `file` is the path in a bundle."""

    code: str
    file: str
    severity: str
    path: str
    line: int
    column: int
    message: str


class Checked(msgspec.Struct):
    """The result of a validation. A draft without errors is `publishable`."""

    publishable: bool
    findings: list[FindingShown]


class TicketCount(msgspec.Struct):
    """The live tickets of a version in a state."""

    version: int
    state: str
    count: int


class Planned(msgspec.Struct):
    """The changes that a publication would make. Counts are of live tickets."""

    action: str
    version: int
    differences: list[str]
    tickets: list[TicketCount]
    states_gone: dict[str, int]
    timers_gone: dict[str, int]
    timers_moved: dict[str, int]
    clocks_moved: dict[str, int]
    approvals_gone: dict[str, int]
    refusals: list[str]


def _name(call: AnyCall) -> str:
    return call.params["workflow"]


def _in_force(kind: str, name: str) -> store.Definition:
    found = store.latest(kind, name)
    if found is None:
        raise NotFound(f"there is no {kind} {name[:60]!r}")
    return found


@operations.add(
    "GET", "/v1/workflows", summary="List life cycles", needs=Permission.definitions_read, answers={200: Workflows}
)
def list_workflows(call: Call) -> Answer:
    """The versions in force, by name."""
    return Answer(
        Workflows(
            [
                WorkflowSummary(
                    one.name,
                    one.version,
                    one.body["label"],
                    len(one.body["states"]),
                    len(one.body["transitions"]),
                )
                for one in store.all_latest("workflow")
            ]
        )
    )


@operations.add(
    "GET",
    "/v1/workflows/{workflow}",
    summary="Get a life cycle",
    needs=Permission.definitions_read,
    answers={200: WorkflowDetail},
    problems=(404,),
)
def read_workflow(call: Call) -> Answer:
    """The version in force, on which new tickets start."""
    found = _in_force("workflow", _name(call))
    source = store.source_of("workflow", found.name, found.version) or ""
    return Answer(WorkflowDetail(found.name, found.version, found.body, source))


@operations.add(
    "GET",
    "/v1/workflows/{workflow}/versions",
    summary="List a life cycle's versions",
    needs=Permission.definitions_read,
    answers={200: Versions},
    problems=(404,),
)
def list_versions(call: Call) -> Answer:
    """Newest first, with author and time of publication."""
    rows = store.history("workflow", _name(call))
    if not rows:
        raise NotFound(f"there is no life cycle {_name(call)[:60]!r}")
    return Answer(Versions([msgspec.convert(row, Version, from_attributes=True, strict=False) for row in rows]))


@operations.add(
    "GET",
    "/v1/workflows/{workflow}/versions/{version}",
    summary="Get a life cycle's version",
    needs=Permission.definitions_read,
    answers={200: WorkflowDetail},
    problems=(404,),
)
def read_version(call: Call) -> Answer:
    """A published version never changes."""
    name, text = _name(call), call.params["version"]
    found = store.version_of("workflow", name, int(text)) if text.isdecimal() and len(text) < 9 else None
    if found is None:
        raise NotFound(f"there is no version {text[:20]!r} of {name[:60]!r}")
    return Answer(
        WorkflowDetail(name, found.version, found.body, store.source_of("workflow", name, found.version) or "")
    )


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/versions",
    summary="Publish a version",
    needs=Permission.definitions_manage,
    body=NewVersion,
    answers={201: WorkflowDetail, 200: WorkflowDetail},
    problems=(409,),
)
def publish_version(call: Call[NewVersion]) -> Answer:
    """Answers 422 with the line and column of every error, and 200 when the version in force is identical.

    Existing tickets keep their versions.
    """
    found = drafts.checked("workflow", _name(call), call.body.source)
    is_new = bool(publishing.apply([found], by=call.caller.key, reason=call.body.reason, origin="api"))
    version = _in_force("workflow", found.name).version
    detail = WorkflowDetail(found.name, version, found.body, found.source)
    where = {"Location": f"/v1/workflows/{found.name}/versions/{version}"} if is_new else {}
    return Answer(detail, status=201 if is_new else 200, headers=where)


@operations.add(
    "PUT",
    "/v1/workflows/{workflow}/version_in_force",
    summary="Put a published version in force",
    needs=Permission.definitions_manage,
    body=VersionInForce,
    answers={200: WorkflowDetail},
    problems=(404,),
)
def put_in_force(call: Call[VersionInForce]) -> Answer:
    """Rolls back to an earlier version. Existing tickets keep their versions; new tickets start on this one."""
    name, body = _name(call), call.body
    publishing.rollback("workflow", name, to=body.version, by=call.caller.key, reason=body.reason)
    found = store.version_of("workflow", name, body.version)
    assert found is not None, "it was put in force a moment ago"
    return Answer(
        WorkflowDetail(name, found.version, found.body, store.source_of("workflow", name, found.version) or "")
    )


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/check",
    cost=Cost.heavy,
    summary="Validate a draft",
    needs=Permission.definitions_read,
    body=Draft,
    answers={200: Checked},
)
def check_workflow(call: Call[Draft]) -> Answer:
    """Checks the schema and runs the static analysis, with line and column. Nothing is saved."""
    findings = [FindingShown(**one) for one in drafts.judged("workflow", _name(call), call.body.source)]
    return Answer(Checked(all(one.severity != "error" for one in findings), findings))


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/plan",
    cost=Cost.heavy,
    summary="Preview the publication of a draft",
    needs=Permission.definitions_read,
    body=Draft,
    answers={200: Planned},
)
def plan_workflow(call: Call[Draft]) -> Answer:
    """Counts the affected tickets, timers, SLA clocks and approvals. Nothing is changed."""
    from models.publishing import plan

    [entry] = plan.plan([drafts.checked("workflow", _name(call), call.body.source)])
    return Answer(msgspec.convert(entry, Planned, from_attributes=True))


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/simulate",
    cost=Cost.heavy,
    summary="Simulate a life cycle",
    needs=Permission.definitions_read,
    body=Simulated,
    answers={200: Simulation},
    problems=(404,),
)
def simulate_workflow(call: Call[Simulated]) -> Answer:
    """Runs a ticket through the life cycle in memory. Nothing is saved or sent."""
    body = call.body
    simulation = drafts.simulated(_name(call), body.source, people=body.people, given=body.given, steps=body.steps)
    return Answer(msgspec.convert(simulation, Simulation))
