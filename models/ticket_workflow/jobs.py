"""Migrations and replays as jobs: started by a request, run by a task in steps, and readable while they run.

Each step is a transaction that moves the job's cursor, so that a repeated task goes on where the last one stopped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.definitions import store
from models.identity import queries as identity
from models.kernel import clock, limits
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import RowView
from models.tasks import commands as tasks
from models.tasks.payloads import MigrateTickets, ReplayEvents
from models.ticket_workflow import migration, recorded_tickets, replay, replay_report
from models.ticket_workflow.replay_report import Report, Tally
from models.ticket_workflow.tables import WorkflowMigration, WorkflowReplay
from models.visibility.sight import Sight
from models.workflow import definition

# Tickets of one step of a replay: each costs some 20 ms, twice.
replay_step_tickets = 50
FINISHED, RUNNING, FAILED = "finished", "running", "failed"


class MigrationRunning(Conflict):
    """Another migration of this life cycle is running; wait for its end or resume it."""

    code = "migration_running"


@dataclass(frozen=True, slots=True)
class MigrationJob:
    """A migration with its progress. `tickets`: the live tickets at its start; `moved`: those that moved so far."""

    id: UUID
    workflow: str
    to_workflow: str
    to_version: int
    state_map: Mapping[str, str]
    state: str
    reverses: UUID | None
    tickets: int | None
    moved: int
    error: str | None
    started_by: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """A replay with its progress in tickets. `tally`: the sums so far.

    The replay drives the tickets that the user `seen_by` sees. `sees_all`: the caller who started it saw all tickets.
    """

    id: UUID
    workflow: str
    draft: JsonObject
    since: datetime
    until: datetime
    state: str
    cursor: UUID | None
    tally: JsonObject | None
    tickets: int
    tickets_done: int
    error: str | None
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    seen_by: UUID | None
    sees_all: bool

    @property
    def report(self) -> Report | None:
        """Return the result of a finished replay."""
        if self.state != FINISHED or self.tally is None:
            return None
        return replay_report.read(self.tally).finished()


_MIGRATION = RowView(MigrationJob, WorkflowMigration)
_REPLAY = RowView(ReplayJob, WorkflowReplay)


def migration_job(migration_id: UUID) -> MigrationJob:
    """Read a migration. Raises NotFound."""
    found = _MIGRATION.all(WorkflowMigration.select(*_MIGRATION.fields).where(WorkflowMigration.id == migration_id))
    if not found:
        raise NotFound(f"there is no migration {migration_id}")
    return found[0]


def page_of_migrations(*, before: UUID | None, limit: int) -> list[MigrationJob]:
    """List migrations, newest first."""
    query = WorkflowMigration.select(*_MIGRATION.fields)
    if before is not None:
        query = query.where(WorkflowMigration.id < before)
    return _MIGRATION.all(query.order_by(WorkflowMigration.id.desc()).limit(limit))


def start_migration(
    workflow: str, *, to_version: int, to_workflow: str | None, state_map: Mapping[str, str], by: str
) -> MigrationJob:
    """Start a migration after the commit. The same request again returns the one that runs.

    Joins the caller's transaction. Raises NotFound, Invalid, or MigrationRunning for another one of the life cycle.
    """
    target = to_workflow or workflow
    check_names(workflow, target, to_version)
    advisory_lock(f"workflow_migration:{workflow}")
    running = _running(workflow)
    if running is not None:
        wanted = (target, to_version, dict(state_map), None)
        if (running.to_workflow, running.to_version, dict(running.state_map), running.reverses) != wanted:
            raise MigrationRunning(f"{MigrationRunning.__doc__} It is {running.id}.")
        _enqueue_migration(running.id)
        return running
    count = sum(migration.check(workflow, target, to_version, state_map).values())
    started = migration.start(workflow, to_version=to_version, to_workflow=target, state_map=state_map, by=by)
    return _begun(started.id, count)


def check_names(workflow: str, to_workflow: str, to_version: int) -> None:
    """Raise NotFound for a life cycle that never was published, or a version that is not there."""
    if not store.history("workflow", workflow):
        raise NotFound(f"there is no life cycle {workflow[:60]!r}")
    if store.version_of("workflow", to_workflow, to_version) is None:
        raise NotFound(f"there is no version {to_version} of {to_workflow[:60]!r}")


def start_reversal(migration_id: UUID, *, by: str) -> MigrationJob:
    """Start the way back of a finished migration. The same request again returns the one that runs.

    Joins the caller's transaction. Raises NotFound or MigrationRunning.
    """
    done = migration_job(migration_id)
    advisory_lock(f"workflow_migration:{done.to_workflow}")
    running = _running(done.to_workflow)
    if running is not None and running.reverses == done.id:
        _enqueue_migration(running.id)
        return running
    if running is not None or done.state == RUNNING:
        raise MigrationRunning(f"{MigrationRunning.__doc__} It is {(running or done).id}.")
    return _begun(migration.reverse(done.id, by=by).id, done.moved)


def resume_migration(migration_id: UUID) -> MigrationJob:
    """Let a migration that failed, or that a command left unfinished, go on. Joins the caller's transaction."""
    job = migration_job(migration_id)
    if job.state != FINISHED:
        WorkflowMigration.update(state=RUNNING, error=None).where(WorkflowMigration.id == job.id).execute()
        _enqueue_migration(job.id)
    return migration_job(job.id)


def _running(workflow: str) -> MigrationJob | None:
    found = _MIGRATION.all(
        WorkflowMigration.select(*_MIGRATION.fields)
        .where(WorkflowMigration.workflow == workflow, WorkflowMigration.state == RUNNING)
        .order_by(WorkflowMigration.id.desc())
        .limit(1)
    )
    return found[0] if found else None


def _begun(migration_id: UUID, tickets: int) -> MigrationJob:
    WorkflowMigration.update(tickets=tickets).where(WorkflowMigration.id == migration_id).execute()
    job = migration_job(migration_id)
    after = {"to_workflow": job.to_workflow, "to_version": job.to_version, "tickets": tickets}
    audit.record(AuditAction.workflow_migration_started, "workflow", job.workflow, after=after)
    _enqueue_migration(migration_id)
    return job


def _enqueue_migration(migration_id: UUID) -> None:
    name = f"workflow_migration:{migration_id}"
    tasks.enqueue(MigrateTickets(migration_id=migration_id), key=name)


def step_migration(migration_id: UUID) -> bool:
    """Move the next batch; returns True while tickets may be left. Opens its own transaction."""
    with database.transaction():
        advisory_lock(f"workflow_migration_step:{migration_id}")
        return migration.step(migration_id)


def fail_migration(migration_id: UUID, reason: str) -> None:
    """Record that the task of a migration was given up. Joins the caller's transaction."""
    error = reason[: limits.error_chars_max]
    WorkflowMigration.update(state=FAILED, error=error).where(
        WorkflowMigration.id == migration_id, WorkflowMigration.state == RUNNING
    ).execute()


def replay_job(replay_id: UUID, reader: Sight) -> ReplayJob:
    """Read a replay. Raises NotFound, also if the reader may see less than the caller who started it."""
    job = _replay_job(replay_id)
    may_read = reader.sees_all or (job.seen_by == reader.user_id is not None and not job.sees_all)
    if not may_read:
        raise _no_replay(replay_id)
    return job


def _replay_job(replay_id: UUID) -> ReplayJob:
    found = _REPLAY.all(WorkflowReplay.select(*_REPLAY.fields).where(WorkflowReplay.id == replay_id))
    if not found:
        raise _no_replay(replay_id)
    return found[0]


def _no_replay(replay_id: UUID) -> NotFound:
    return NotFound(f"there is no replay {replay_id}")


def start_replay(workflow: str, draft: JsonObject, *, since: datetime, by: str, sight: Sight) -> ReplayJob:
    """Start a replay of the recorded events of visible tickets through a draft after the commit.

    Joins the caller's transaction.
    """
    replay_id, now = new_id(), clock.now()
    WorkflowReplay.insert(
        id=replay_id,
        workflow=workflow,
        draft=draft,
        since=since,
        until=now,
        state=RUNNING,
        tickets=recorded_tickets.count_tickets(workflow, since, sight),
        seen_by=sight.user_id,
        sees_all=sight.sees_all,
        started_by=by,
        started_at=now,
    ).execute()
    tasks.enqueue(ReplayEvents(replay_id=replay_id), key=f"workflow_replay:{replay_id}")
    return _replay_job(replay_id)


def _sight_of(job: ReplayJob) -> Sight:
    """Return the sight of the caller who started a replay, as far as its user still has it."""
    if job.seen_by is None:
        return Sight(None, "agent")
    user = identity.get_user(job.seen_by)
    now = Sight.of_user(user)
    if not user.active:
        return Sight(None, "agent")
    return dataclasses.replace(now, sees_all=now.sees_all and job.sees_all)


def step_replay(replay_id: UUID) -> bool:
    """Replay the next tickets; returns True while some are left. Opens its own transaction."""
    with database.connection():
        job = _replay_job(replay_id)
        if job.state != RUNNING:
            return False
        tally = replay_report.read(job.tally) if job.tally else Tally(Report(job.workflow, job.since, job.until))
        draft = definition.read(job.draft)
        cursor = replay.step(draft, tally, after=job.cursor, most=replay_step_tickets, sight=_sight_of(job))
    with database.transaction():
        done: JsonObject = {"tally": tally.as_json(), "tickets_done": tally.report.tickets}
        if cursor is None:
            done |= {"state": FINISHED, "finished_at": clock.now()}
        else:
            done |= {"cursor": cursor}
        # A second run of the task that read the same cursor changes nothing.
        same = WorkflowReplay.cursor.is_null() if job.cursor is None else WorkflowReplay.cursor == job.cursor
        WorkflowReplay.update(**done).where(
            WorkflowReplay.id == replay_id, WorkflowReplay.state == RUNNING, same
        ).execute()
    return cursor is not None


def fail_replay(replay_id: UUID, reason: str) -> None:
    """Record that the task of a replay was given up. Joins the caller's transaction."""
    error = reason[: limits.error_chars_max]
    WorkflowReplay.update(state=FAILED, error=error).where(
        WorkflowReplay.id == replay_id, WorkflowReplay.state == RUNNING
    ).execute()
