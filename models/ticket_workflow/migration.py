"""Moves live tickets to another version of their life cycle, or to another life cycle: checked first, in batches,
resumable, reversible.

A migration notifies nobody and runs no rule. It maps the ticket's state, carries its timers by their names and moves
its clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from models.events import queries as events
from models.events.commands import SYSTEM
from models.events.payload import UNSET
from models.events.ticket_payloads import MigrationSkipped, TicketMigrated, WorkflowPlace
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.kernel.storage.table import RowView
from models.publishing import workflows
from models.sla.clocks import Clock
from models.ticket_workflow import carried_timers, steps
from models.ticket_workflow.acts import apply_acts
from models.ticket_workflow.tables import WorkflowMigration
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.workflow import engine
from models.workflow.definition import Workflow
from models.workflow.execution.carried_timers import Remembered, Timers
from models.workflow.instance import Step

batch_max = (
    100  # tickets of one transaction: rows are held for a fraction of a second, and little is done again after a crash
)


@dataclass(frozen=True, slots=True)
class Migration:
    """The progress of a migration. `state`: running or finished; `cursor`: the last ticket that was processed."""

    id: UUID
    workflow: str
    to_workflow: str
    to_version: int
    state_map: Mapping[str, str]
    state: str
    reverses: UUID | None
    cursor: UUID | None
    moved: int


_MIGRATION = RowView(Migration, WorkflowMigration)


def check(workflow: str, to_workflow: str, to_version: int, state_map: Mapping[str, str]) -> dict[str, int]:
    """Count the live tickets that would move, by state.

    Raises Invalid that names every state missing in the new version, with its tickets.
    """
    target = workflows.of_version(to_workflow, to_version).definition
    problems = [
        FieldProblem(f"/state_map/{old}", f"expected one of {', '.join(target.states)}, found {new!r}")
        for old, new in state_map.items()
        if new not in target.states
    ]
    rows = database.run(
        "SELECT state, count(*) AS count FROM tickets WHERE workflow = :workflow AND category <> 'closed'"
        " AND NOT (workflow = :to AND workflow_version = :version) GROUP BY state ORDER BY state",
        workflow=workflow,
        to=to_workflow,
        version=to_version,
    )
    for row in rows:
        if state_map.get(row["state"], row["state"]) not in target.states:
            told = f"{row['count']} tickets are in {row['state']}, which version {to_version} of {to_workflow} lacks: map it to one of"
            problems.append(FieldProblem("/state_map", f"{told} {', '.join(target.states)}"))
    if problems:
        raise Invalid(problems)
    return {row["state"]: row["count"] for row in rows}


def start(
    workflow: str,
    *,
    to_version: int,
    to_workflow: str | None = None,
    state_map: Mapping[str, str] | None = None,
    by: str,
) -> Migration:
    """Check and note a migration; `run` does it. Joins the caller's transaction. Raises Invalid."""
    to_workflow, state_map = to_workflow or workflow, dict(state_map or {})
    check(workflow, to_workflow, to_version, state_map)
    return _insert(workflow, to_workflow, to_version, state_map, reverses=None, by=by)


def _insert(
    workflow: str,
    to_workflow: str,
    to_version: int,
    state_map: Mapping[str, str],
    *,
    reverses: UUID | None,
    by: str,
) -> Migration:
    migration_id = new_id()
    database.execute(
        "INSERT INTO workflow_migrations (id, workflow, to_workflow, to_version, state_map, state, reverses,"
        " started_by, started_at)"
        " VALUES (:id, :workflow, :to_workflow, :to_version, :state_map, 'running', :reverses, :by, :at)",
        id=migration_id,
        workflow=workflow,
        to_workflow=to_workflow,
        to_version=to_version,
        state_map=as_json(dict(state_map)),
        reverses=reverses,
        by=by,
        at=clock.now(),
    )
    return get(migration_id)


def get(migration_id: UUID) -> Migration:
    """Read a migration. Raises NotFound."""
    found = _MIGRATION.all(WorkflowMigration.select(*_MIGRATION.fields).where(WorkflowMigration.id == migration_id))
    if not found:
        raise NotFound(f"there is no migration {migration_id}")
    return found[0]


def run(migration_id: UUID, progress: Callable[[int], None] = lambda moved: None) -> Migration:
    """Run the rest of a migration in batches. A run that was interrupted resumes at its cursor.

    Opens its own transactions.
    """
    left = True
    while left:
        with database.transaction():
            left = step(migration_id)
            moved = get(migration_id).moved
        progress(moved)
    with database.connection():
        return get(migration_id)


def step(migration_id: UUID) -> bool:
    """Move the next batch of tickets; returns True while tickets may be left, and closes the migration otherwise.

    Joins the caller's transaction.
    """
    migration = get(migration_id)
    if migration.state == "finished":
        return False
    if _batch(migration):
        return True
    database.execute(
        "UPDATE workflow_migrations SET state = 'finished', error = NULL, finished_at = :at WHERE id = :id",
        at=clock.now(),
        id=migration_id,
    )
    return False


def _batch(migration: Migration) -> bool:
    """Move the next batch of tickets; returns False when none was left."""
    rows = database.run(
        "SELECT id FROM tickets WHERE workflow = :workflow AND category <> 'closed' AND id > :cursor ORDER BY id"
        " LIMIT :most",
        workflow=migration.workflow,
        cursor=migration.cursor or UUID(int=0),
        most=batch_max,
    )
    moved = 0
    for row in rows:
        change = TicketChange.of(Ticket.converted(row)["id"], actor=SYSTEM, causation_id=f"migration:{migration.id}")
        moved += _back(change, migration) if migration.reverses is not None else _forth(change, migration)
    if rows:
        database.execute(
            "UPDATE workflow_migrations SET cursor = :cursor, moved = moved + :moved WHERE id = :id",
            cursor=rows[-1]["id"],
            moved=moved,
            id=migration.id,
        )
    return bool(rows)


def _forth(change: TicketChange, migration: Migration) -> bool:
    ticket = change.ticket
    if (ticket.workflow, ticket.workflow_version) == (migration.to_workflow, migration.to_version):
        return False
    state = migration.state_map.get(ticket.state, ticket.state)
    target = workflows.of_version(migration.to_workflow, migration.to_version).definition
    if state not in target.states:
        change.record(MigrationSkipped(migration_id=migration.id, reason=f"{state} is not in the new version"))
        change.save(visible=False)
        return False  # it came into the state after the check; who migrates sees it in the history and in `plan`
    _move(change, target, migration, version=migration.to_version, state=state)
    return True


def _back(change: TicketChange, migration: Migration) -> bool:
    """Undo the move of one ticket, unless it has gone on since."""
    ticket = change.ticket
    last = events.last_of("ticket", ticket.id, "ticket_migrated")
    if last is None or last["payload"]["migration_id"] != str(migration.reverses):
        return False
    was = last["payload"]["from"]
    if ticket.state != last["payload"]["to"]["state"]:
        reason = f"the ticket went on to {ticket.state} since it was migrated"
        change.record(MigrationSkipped(migration_id=migration.id, reason=reason))
        change.save(visible=False)
        return False
    target = workflows.of_version(was["workflow"], was["version"]).definition
    _move(change, target, migration, version=was["version"], state=was["state"])
    return True


def _move(change: TicketChange, target: Workflow, migration: Migration, *, version: int, state: str) -> None:
    ticket = change.ticket
    before = WorkflowPlace(workflow=ticket.workflow, version=ticket.workflow_version, state=ticket.state)
    moved = outcome(change, target, state)
    ticket.workflow, ticket.workflow_version = target.workflow, version
    ticket.state, ticket.category = state, target.states[state].category
    after = WorkflowPlace(workflow=ticket.workflow, version=version, state=state)
    kept = carried_timers.as_json(moved.remembered) if moved.remembered else UNSET
    change.record(TicketMigrated(migration_id=migration.id, from_=before, to=after, timers=kept))
    apply_acts.apply(change, target, moved.step)
    change.save()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The step that moves a ticket, its timers and clocks before, and the timers that the next migration remembers."""

    step: Step
    timers: Timers
    clocks: Mapping[str, Clock]
    remembered: Remembered


def outcome(change: TicketChange, target: Workflow, state: str) -> Outcome:
    """Return what a move to `state` of another version does to a ticket; writes nothing."""
    old = steps.workflow_of(change)
    instance = steps.instance_of(change, _with_what_either_has(old, target))
    timers = carried_timers.of_ticket(change.ticket, old)
    context = steps.context_of(change, target)
    step, remembered = engine.moved_to_version(target, instance, context, state, old=old, timers=timers)
    return Outcome(step, timers, instance.clocks, remembered)


def _with_what_either_has(old: Workflow, new: Workflow) -> Workflow:
    """Clocks and approvals are read when one of the two versions has any."""
    return old if old.sla or any(one.approval for one in old.transitions.values()) else new


def reverse(migration_id: UUID, *, by: str) -> Migration:
    """Note the way back of a migration; `run` does it. Joins the caller's transaction."""
    done = get(migration_id)
    return _insert(done.to_workflow, done.workflow, done.to_version, {}, reverses=done.id, by=by)
