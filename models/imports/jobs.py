"""Imports as jobs: started by a command or a request, run in steps, and readable while they run.

Each step is a transaction that writes a batch of records and moves the position, so an import that was killed goes on
where the last step ended. A record that was written before is known by its id and is not written again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import msgspec

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.commands import Actor
from models.imports import limits, writing
from models.imports.bundles import Bundle
from models.imports.context import Context, Sanitise
from models.imports.formats import reading
from models.imports.formats.mapping import Mapping
from models.imports.items import Item
from models.imports.problems import Problem, as_row
from models.imports.sources import Sources
from models.imports.tables import Import, ImportProblem
from models.kernel import clock
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.kernel.limits import error_chars_max
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.storage.table import RowView
from models.kernel.telemetry import logs

log = logs.get("imports")
RUNNING, FINISHED, FAILED, CANCELLED = "running", "finished", "failed", "cancelled"


class ImportRunning(Conflict):
    """Another import is running; wait for its end or cancel it."""

    code = "import_running"


@dataclass(frozen=True, slots=True)
class ImportJob:
    """An import with its progress in records. `by_kind`: the kind of record -> the outcome -> the count."""

    id: UUID
    source: str
    format: str
    dry_run: bool
    state: str
    mapping: JsonObject
    content: str
    attachment_id: UUID | None
    position: int
    taken: int
    known: int
    refused: int
    problems: int
    by_kind: JsonObject
    actor_kind: str
    actor_id: str | None
    owner_id: UUID | None
    started_at: datetime
    finished_at: datetime | None
    error: str | None


_JOB = RowView(ImportJob, Import)


def find(import_id: UUID) -> ImportJob:
    """Read an import. Raises NotFound."""
    found = _JOB.all(Import.select(*_JOB.fields).where(Import.id == import_id))
    if not found:
        raise NotFound(f"there is no import {import_id}")
    return found[0]


def page(*, before: UUID | None, limit: int) -> list[ImportJob]:
    """List the imports, newest first."""
    query = Import.select(*_JOB.fields)
    if before is not None:
        query = query.where(Import.id < before)
    return _JOB.all(query.order_by(Import.id.desc()).limit(limit))


def problems_of(import_id: UUID, *, after: int | None, limit: int) -> list[database.Row]:
    """List the problems of an import in the order of the file."""
    query = ImportProblem.select().where(ImportProblem.import_id == import_id)
    if after is not None:
        query = query.where(ImportProblem.position > after)
    return database.rows(query.order_by(ImportProblem.position).limit(limit))


def unfinished(content: str, *, format_: str, dry_run: bool) -> ImportJob | None:
    """Find the import of the same files that a command began and did not end."""
    found = _JOB.all(
        Import.select(*_JOB.fields)
        .where(
            Import.content == content,
            Import.format == format_,
            Import.dry_run == dry_run,
            Import.attachment_id.is_null(),
            Import.state == RUNNING,
        )
        .order_by(Import.id.desc())
        .limit(1)
    )
    return found[0] if found else None


def start(
    format_: str,
    mapping: Mapping,
    *,
    content: str,
    dry_run: bool,
    actor: Actor,
    owner_id: UUID | None = None,
    attachment_id: UUID | None = None,
    source: str | None = None,
) -> ImportJob:
    """Store an import. Joins the caller's transaction. Raises Invalid, ImportRunning."""
    reading.reader(format_)
    advisory_lock("imports")
    running = Import.select(Import.id).where(Import.state == RUNNING).limit(limits.running_max)
    if (found := database.rows(running)) and len(found) >= limits.running_max:
        raise ImportRunning(f"{ImportRunning.__doc__} It is {found[0]['id']}.")
    import_id = new_id()
    Import.insert(
        id=import_id,
        source=source or mapping.source or format_,
        format=format_,
        dry_run=dry_run,
        state=RUNNING,
        mapping=msgspec.to_builtins(mapping),
        content=content,
        attachment_id=attachment_id,
        by_kind={},
        actor_kind=actor.kind,
        actor_id=actor.id,
        owner_id=owner_id,
        started_at=clock.now(),
    ).execute()
    audit.record(AuditAction.import_started, "import", import_id, after={"format": format_, "dry_run": dry_run})
    return find(import_id)


def cancel(import_id: UUID) -> ImportJob:
    """Stop an import. What was written stays. Joins the caller's transaction. Raises NotFound."""
    advisory_lock(f"import:{import_id}")
    job = find(import_id)
    if job.state in (RUNNING, FAILED):
        _end(job, CANCELLED)
        audit.record(AuditAction.import_cancelled, "import", import_id, after={"position": job.position})
    return find(import_id)


def resume(import_id: UUID) -> ImportJob:
    """Let an import that was given up go on. Joins the caller's transaction. Raises NotFound."""
    advisory_lock(f"import:{import_id}")
    Import.update(state=RUNNING, error=None).where(Import.id == import_id, Import.state == FAILED).execute()
    return find(import_id)


def fail(import_id: UUID, reason: str) -> None:
    """Record that an import was given up. Joins the caller's transaction."""
    Import.update(state=FAILED, error=reason[:error_chars_max]).where(
        Import.id == import_id, Import.state == RUNNING
    ).execute()


def _end(job: ImportJob, state: str) -> None:
    Sources(job.source, job.id, job.dry_run).end()
    Import.update(state=state, error=None, finished_at=clock.now()).where(Import.id == job.id).execute()


class Run:
    """A run of an import over its files, from the position on."""

    def __init__(self, job: ImportJob, bundle: Bundle, *, sanitise: Sanitise, creates_users: bool = False) -> None:
        mapping = msgspec.convert(job.mapping, Mapping)
        self._id, self._bundle = job.id, bundle
        self._items: Iterator[Item] = islice(reading.reader(job.format)(bundle, mapping), job.position, None)
        self._position = job.position
        self.context = Context(
            Sources(job.source, job.id, job.dry_run), clock.now(), sanitise, creates_users=creates_users
        )

    def step(self) -> bool:
        """Write the next batch; return True while records are left. Opens its own transactions."""
        batch = list(islice(self._items, limits.batch_records))
        with database.connection():
            fresh = self._fresh(batch)
        writing.store_files(self.context, fresh, self._bundle)
        with database.transaction():
            # Also held by the cancellation: a batch is before it or never runs.
            advisory_lock(f"import:{self._id}")
            job = find(self._id)
            if job.state != RUNNING or job.position != self._position:
                return False
            if not batch:
                _end(job, FINISHED)
                audit.record(AuditAction.import_finished, "import", job.id, after={"taken": job.taken})
                return False
            _store(job, batch, [writing.take(self.context, item) for item in batch])
        self._position += len(batch)
        return True

    def _fresh(self, batch: Sequence[Item]) -> list[Item]:
        """The records that the desk does not have yet: only their files are stored."""
        tickets = [one.record.id for one in batch if one.record is not None and writing.kind_of(one.record) == "ticket"]
        known = self.context.sources.find_all("ticket", tickets)
        return [one for one in batch if one.record is not None and one.record.id not in known]


def _store(job: ImportJob, batch: Sequence[Item], found: Sequence[tuple[writing.Outcome, list[Problem]]]) -> None:
    """Store the progress and the problems of a batch."""
    by_kind: dict[str, Counter[str]] = {kind: Counter(counts) for kind, counts in job.by_kind.items()}
    rows: list[database.Row] = []
    for item, (outcome, problems) in zip(batch, found, strict=True):
        kind = writing.kind_of(item.record) if item.record is not None else "unreadable"
        by_kind.setdefault(kind, Counter())[outcome] += 1
        record = f"{kind} {item.record.id}" if item.record is not None and kind in _SHOWN else kind
        for problem in problems:
            position = job.problems + len(rows)
            rows.append(
                as_row(problem)
                | {"import_id": job.id, "position": position, "place": item.place[:300], "record": record[:120]}
            )
    kept = [row for row in rows if row["position"] < limits.problems_max]
    for start_ in range(0, len(kept), 500):
        ImportProblem.insert_many(kept[start_ : start_ + 500]).execute()
    outcomes = Counter(outcome for outcome, _ in found)
    Import.update(
        position=job.position + len(batch),
        taken=job.taken + outcomes["taken"],
        known=job.known + outcomes["known"],
        refused=job.refused + outcomes["refused"],
        problems=job.problems + len(rows),
        by_kind={kind: dict(counts) for kind, counts in by_kind.items()},
    ).where(Import.id == job.id).execute()
    log.info("import_step", import_id=job.id, position=job.position + len(batch), **dict(outcomes))


# Kinds whose ids the report shows: the id of a user is an address, and the one of a requester can be one.
_SHOWN = ("ticket", "organisation")


def collect(*, batch_max: int) -> int:
    """Delete the reports of imports that ended long ago; return their number. The sources stay."""
    before = clock.now() - timedelta(seconds=limits.kept_s)
    old = Import.select(Import.id).where(Import.started_at < before, Import.state != RUNNING)
    ids = [row["id"] for row in database.rows(old.limit(batch_max))]
    ImportProblem.delete().where(ImportProblem.import_id.in_(ids)).execute()
    return int(Import.delete().where(Import.id.in_(ids)).execute())
