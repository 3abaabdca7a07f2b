"""/v1/workflow_migrations and /v1/workflow_replays: long jobs about life cycles, with their progress."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.definition import drafts
from functions.gateway.definition.workflows import Source
from functions.gateway.sights import sight_of
from functions.http.operations import Answer, AnyCall, Call, Cost, Operations
from functions.views import pages
from functions.views.texts import Word
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.errors import Forbidden
from models.kernel.open_json import JsonObject
from models.ticket_workflow import jobs, migration_preview

operations = Operations()

_Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_StateMap = Annotated[dict[Word, Word], msgspec.Meta(max_length=100)]


class MigrationWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The target of a migration. `state_map`: old state -> new state, for states that the target lacks."""

    to_version: _Version
    to_workflow: Word | None = None
    state_map: _StateMap = {}


class MigrationPreview(msgspec.Struct):
    """The effects that a migration would have; names with counts."""

    tickets: dict[str, int]
    timers_due: dict[str, int]
    timers_started: dict[str, int]
    timers_moved: dict[str, int]
    timers_dropped: dict[str, int]
    timers_silent: dict[str, int]
    promises: dict[str, int]


class MigrationJob(msgspec.Struct):
    """A migration of live tickets to another version. `state`: running, finished or failed. `tickets`: the live tickets
    at its start; `moved`: the tickets that moved so far.
    """

    id: UUID
    workflow: str
    to_workflow: str
    to_version: int
    state_map: dict[str, str]
    state: str
    reverses: UUID | None
    tickets: int | None
    moved: int
    error: str | None
    started_by: str
    started_at: datetime
    finished_at: datetime | None


class MigrationPage(msgspec.Struct):
    """Migrations, newest first."""

    items: list[MigrationJob]
    next_cursor: str | None


class ReplayWanted(msgspec.Struct, forbid_unknown_fields=True):
    """A replay: a draft (default: the version in force) and the age of the oldest events in days."""

    source: Source | None = None
    days: Annotated[float, msgspec.Meta(gt=0, le=3660)] = 30.0


class ReplayReport(msgspec.Struct):
    """The differences that the draft would have made, in the tickets that are visible to the caller who started the
    replay. Counters have the values before and after. `money` is empty without the permission `ledger_read`; `hidden`
    then names it.
    """

    tickets: int
    events: int
    faithful: int
    ended_differently: int
    failed: int
    differences: list[JsonObject]
    messages: dict[str, tuple[int, int]]
    breaches: dict[str, tuple[int, int]]
    money: dict[str, tuple[int, int]]
    refusals: dict[str, tuple[int, int]]
    hidden: list[str] = []


class ReplayJob(msgspec.Struct):
    """A replay of recorded events through a draft. `state`: running, finished or failed; a finished one has its
    `report`.
    """

    id: UUID
    workflow: str
    since: datetime
    until: datetime
    state: str
    tickets: int
    tickets_done: int
    report: ReplayReport | None
    error: str | None
    started_by: str
    started_at: datetime
    finished_at: datetime | None


def _migration(job: jobs.MigrationJob, status: int = 200) -> Answer:
    where = {"Location": f"/v1/workflow_migrations/{job.id}"} if status == 202 else {}
    return Answer(msgspec.convert(job, MigrationJob, from_attributes=True), status=status, headers=where)


def _replay(call: AnyCall, job: jobs.ReplayJob, status: int = 200) -> Answer:
    where = {"Location": f"/v1/workflow_replays/{job.id}"} if status == 202 else {}
    shown = msgspec.convert(job, ReplayJob, from_attributes=True)
    if shown.report is not None and Permission.ledger_read not in call.caller.permissions:
        shown.report.money, shown.report.hidden = {}, ["money"]
    return Answer(shown, status=status, headers=where)


def _migration_id(call: AnyCall) -> UUID:
    return pages.id_of(call.params["migration"], "migration")


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/migrations/preview",
    cost=Cost.heavy,
    summary="Preview a migration",
    needs=Permission.definitions_read,
    body=MigrationWanted,
    answers={200: MigrationPreview},
    problems=(404,),
)
def preview_migration(call: Call[MigrationWanted]) -> Answer:
    """Counts the tickets that would move, and what would happen to their timers and promises. Nothing is changed."""
    name, body = call.params["workflow"], call.body
    target = body.to_workflow or name
    jobs.check_names(name, target, body.to_version)
    found = migration_preview.preview(name, target, body.to_version, body.state_map)
    return Answer(msgspec.convert(found, MigrationPreview, from_attributes=True))


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/migrations",
    summary="Start a migration",
    needs=Permission.definitions_manage,
    body=MigrationWanted,
    answers={202: MigrationJob},
    problems=(404, 409),
)
def start_migration(call: Call[MigrationWanted]) -> Answer:
    """Moves the live tickets of the life cycle in the background. Each ticket must have a state in the target.

    The same request again returns the migration that runs; another one for the same life cycle answers 409.
    """
    body = call.body
    job = jobs.start_migration(
        call.params["workflow"],
        to_version=body.to_version,
        to_workflow=body.to_workflow,
        state_map=body.state_map,
        by=call.caller.key,
    )
    return _migration(job, 202)


@operations.add(
    "GET",
    "/v1/workflow_migrations",
    summary="List migrations",
    needs=Permission.definitions_read,
    query=pages.PageQuery,
    answers={200: MigrationPage},
)
def list_migrations(call: Call[None, pages.PageQuery]) -> Answer:
    """Newest first."""
    before = pages.decode(call.query.cursor, "workflow_migrations", UUID)
    rows = jobs.page_of_migrations(before=before[0] if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "workflow_migrations", lambda row: (row.id,))
    return Answer(MigrationPage([msgspec.convert(row, MigrationJob, from_attributes=True) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/workflow_migrations/{migration}",
    summary="Get a migration",
    needs=Permission.definitions_read,
    answers={200: MigrationJob},
    problems=(404,),
)
def read_migration(call: Call) -> Answer:
    """With its progress."""
    return _migration(jobs.migration_job(_migration_id(call)))


@operations.add(
    "POST",
    "/v1/workflow_migrations/{migration}/resumption",
    summary="Resume a migration",
    needs=Permission.definitions_manage,
    answers={202: MigrationJob},
    problems=(404,),
)
def resume_migration(call: Call) -> Answer:
    """Lets a migration that failed, or that a command left unfinished, go on at its last ticket. A finished one stays
    finished.
    """
    return _migration(jobs.resume_migration(_migration_id(call)), 202)


@operations.add(
    "POST",
    "/v1/workflow_migrations/{migration}/reversal",
    summary="Reverse a migration",
    needs=Permission.definitions_manage,
    answers={202: MigrationJob},
    problems=(404, 409),
)
def reverse_migration(call: Call) -> Answer:
    """Moves the tickets back that have not gone on since, as a migration of its own."""
    return _migration(jobs.start_reversal(_migration_id(call), by=call.caller.key), 202)


@operations.add(
    "POST",
    "/v1/workflows/{workflow}/replays",
    cost=Cost.heavy,
    summary="Start a replay",
    needs=Permission.definitions_manage,
    body=ReplayWanted,
    answers={202: ReplayJob},
    problems=(404,),
)
def start_replay(call: Call[ReplayWanted]) -> Answer:
    """Drives recorded events through a draft in the background and compares the results. No ticket is changed.

    Only tickets that the caller sees are replayed. The caller also needs the permission `tickets_read`.
    """
    if Permission.tickets_read not in call.caller.permissions:
        raise Forbidden(f"A replay reads tickets. It also needs the permission {Permission.tickets_read}.")
    name = call.params["workflow"]
    since = clock.now() - timedelta(days=call.body.days)
    draft = drafts.body_of(name, call.body.source)
    job = jobs.start_replay(name, draft, since=since, by=call.caller.key, sight=sight_of(call))
    return _replay(call, job, 202)


@operations.add(
    "GET",
    "/v1/workflow_replays/{replay}",
    summary="Get a replay",
    needs=Permission.definitions_manage,
    answers={200: ReplayJob},
    problems=(404,),
)
def read_replay(call: Call) -> Answer:
    """With its progress, and with its report when it is finished. The caller who started the replay reads it, and
    callers who see all tickets.
    """
    return _replay(call, jobs.replay_job(pages.id_of(call.params["replay"], "replay"), sight_of(call)))
