"""The plan of a publication: its changes, by counting, never ticket by ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict, cast

from models.definitions import store
from models.expressions.durations import parse_duration
from models.kernel.storage import database
from models.publishing import dependents, publishing
from models.publishing.catalogue import Found
from models.publishing.retirement import Absent
from models.sla.working_time import Calendar
from models.workflow import definition as workflows
from models.workflow import diff
from models.workflow.definition import Timer, Workflow
from models.workflow.execution import sla_promises

# The offset of a timer's name in `ticket:<id of 36 characters>:<name>`.
_NAME_AT = len("ticket:") + 36 + len(":") + 1


class TicketCount(TypedDict):
    """The live tickets of a version in a state."""

    version: int
    state: str
    count: int


class Effects(TypedDict):
    """The effects of moving the live tickets of a life cycle; names with counts."""

    tickets: tuple[TicketCount, ...]
    states_gone: Mapping[str, int]
    timers_gone: Mapping[str, int]
    timers_moved: Mapping[str, int]
    clocks_moved: Mapping[str, int]
    approvals_gone: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of the plan. Counts are of live tickets (not closed); what they say happens when they are
    migrated, not before.
    """

    kind: str
    name: str
    action: str  # new | unchanged | changed | retired | kept
    version: int
    differences: tuple[str, ...] = ()
    tickets: tuple[TicketCount, ...] = ()
    states_gone: Mapping[str, int] = field(default_factory=dict)
    timers_gone: Mapping[str, int] = field(default_factory=dict)
    timers_moved: Mapping[str, int] = field(default_factory=dict)
    clocks_moved: Mapping[str, int] = field(default_factory=dict)
    approvals_gone: Mapping[str, int] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()


def plan(found: Sequence[Found], *, absent: Sequence[Absent] = ()) -> list[Entry]:
    """Return the changes that a publication would make; joins the caller's connection, writes nothing.

    `absent`: definitions whose file is gone.
    """
    entries = [_entry(one) for one in found]
    for one in absent:
        told = (f"its file is gone; {one.kept}" if one.kept else "its file is gone",)
        entries.append(Entry(one.kind, one.name, "kept" if one.kept else "retired", one.version, told))
    gone = [(one.kind, one.name) for one in absent if not one.kept]
    problems = tuple(f"{one.path}: {one.message}" for one in dependents.broken(found, gone=gone))
    if problems and entries:
        # What breaks belongs to the publication as a whole; the first definition shows it.
        entries[0] = replace(entries[0], refusals=(*entries[0].refusals, *problems))
    return entries


def _entry(one: Found) -> Entry:
    before = store.latest(one.kind, one.name)
    if before is None:
        return Entry(one.kind, one.name, "new", 1)
    if store.digest_of(before.body) == store.digest_of(one.body):
        return Entry(one.kind, one.name, "unchanged", before.version)
    version = max(row["version"] for row in store.history(one.kind, one.name)) + 1
    changed = tuple(change.in_words for change in diff.differences(before.body, one.body))
    refused = tuple(f"{problem.path}: {problem.message}" for problem in publishing.refusals(one))
    if one.kind != "workflow":
        return Entry(one.kind, one.name, "changed", version, changed, refusals=refused)
    return Entry(
        one.kind,
        one.name,
        "changed",
        version,
        changed,
        refusals=refused,
        **effects_of(workflows.read(before.body), workflows.read(one.body)),
    )


def effects_of(old: Workflow, new: Workflow) -> Effects:
    """Return the effects of moving the live tickets of a life cycle to `new`."""
    tickets = database.run(
        "SELECT workflow_version AS version, state, count(*) AS count FROM tickets WHERE workflow = :name AND"
        " category <> 'closed'"
        " GROUP BY workflow_version, state ORDER BY workflow_version, state",
        name=old.workflow,
    )
    gone: dict[str, int] = {}
    for row in tickets:
        if row["state"] not in new.states:
            gone[row["state"]] = gone.get(row["state"], 0) + row["count"]
    timers = _timers(old.workflow)
    return {
        "tickets": tuple(cast("list[TicketCount]", tickets)),
        "states_gone": gone,
        "timers_gone": {name: count for name, count in timers.items() if name not in new.timers},
        "timers_moved": {
            name: count
            for name, count in timers.items()
            if name in new.timers and _timing(old, name) != _timing(new, name)
        },
        "clocks_moved": _clocks(old, new),
        "approvals_gone": _approvals(new),
    }


def _timers(workflow: str) -> dict[str, int]:
    """Running timers of the life cycle's tickets by name; those of SLA clocks and approvals have a colon in theirs."""
    rows = database.run(
        "SELECT substr(m.name, :at) AS name, count(*) AS count FROM tickets AS t JOIN timers AS m"
        " ON m.key = 'ticket:' || CAST(t.id AS text) WHERE t.workflow = :workflow AND t.category <> 'closed' GROUP"
        " BY 1",
        at=_NAME_AT,
        workflow=workflow,
    )
    return {row["name"]: row["count"] for row in rows if ":" not in row["name"]}


def _timing(workflow: Workflow, name: str) -> tuple[Timer | None, Calendar | None]:
    timer = workflow.timers.get(name)
    return timer, workflow.calendars.get(timer.calendar) if timer is not None and timer.calendar is not None else None


def _clocks(old: Workflow, new: Workflow) -> dict[str, int]:
    """Live SLA clocks whose policy is gone, or promises something else, warns at another time or counts other hours."""
    rows = database.run(
        "SELECT c.policy, c.target, t.priority, c.clock ->> 'calendar' AS calendar,"
        " CAST(c.clock ->> 'target_s' AS integer) AS target_s,"
        " CAST(c.clock ->> 'warn_before_s' AS integer) AS warn_before_s, count(*) AS count"
        " FROM sla_clocks AS c JOIN tickets AS t ON t.id = c.ticket_id"
        " WHERE t.workflow = :workflow AND c.state IN ('running', 'paused') AND t.category <> 'closed'"
        " GROUP BY 1, 2, 3, 4, 5, 6",
        workflow=new.workflow,
    )
    policies = {policy.name: policy for policy in new.sla}
    moved: dict[str, int] = {}
    for row in rows:
        policy = policies.get(row["policy"])
        promised = None
        if policy is not None:
            hours = new.calendars.get(policy.calendar) if policy.calendar is not None else None
            promised = (
                sla_promises.target_s(policy, row["target"], row["priority"]),
                parse_duration(policy.warn_before) if policy.warn_before is not None else 0,
                hours,
            )
        if promised != (row["target_s"], row["warn_before_s"], old.calendars.get(row["calendar"] or "")):
            name = f"{row['policy']}/{row['target']}"
            moved[name] = moved.get(name, 0) + row["count"]
    return moved


def _approvals(new: Workflow) -> dict[str, int]:
    rows = database.run(
        "SELECT a.transition, count(*) AS count FROM approvals AS a JOIN tickets AS t ON t.id = a.ticket_id"
        " WHERE t.workflow = :workflow AND a.state = 'pending' GROUP BY a.transition",
        workflow=new.workflow,
    )
    kept = {name for name, transition in new.transitions.items() if transition.approval is not None}
    return {row["transition"]: row["count"] for row in rows if row["transition"] not in kept}
