"""/v1/imports: take over tickets and people of another system from an uploaded file, as a job with a report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.http.bodies import explain_pattern
from functions.http.operations import Answer, AnyCall, Call, Cost, Operations
from functions.views import pages
from models.attachments import queries as attachments
from models.attachments import scans
from models.attachments.row_types import AttachmentRow
from models.identity.rules import Permission
from models.imports import jobs
from models.imports.formats import mapping as mappings
from models.imports.jobs import ImportJob
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.open_json import JsonObject
from models.tasks import commands as tasks
from models.tasks.payloads import RunImport

operations = Operations()

_SOURCE = explain_pattern(
    r"^[a-z0-9][a-z0-9._-]{0,59}(?![\s\S])", "expected up to 60 lower-case letters, digits, dots, - and _"
)


class ImportWanted(msgspec.Struct, forbid_unknown_fields=True):
    """An upload of the caller (`POST /v1/attachments`): a zip archive, or one file of records.

    `source` names the system that the ids belong to; the default is the mapping's, else the format. `mapping`: the
    words and fields of the source, as in a mapping file. `dry_run`: check every record and write nothing.
    """

    attachment_id: UUID
    format: Literal["nestor", "csv", "zendesk"] = "nestor"
    source: Annotated[str, msgspec.Meta(pattern=_SOURCE)] | None = None
    mapping: JsonObject = {}
    dry_run: bool = False


class Import(msgspec.Struct):
    """An import with its progress. `state`: running, finished, failed or cancelled.

    `position`: the records that had their turn: `taken`, `known` (taken before, by the id in the source) or `refused`.
    `by_kind`: the same counts by kind of record. `problems`: the lines of the report.
    """

    id: UUID
    source: str
    format: str
    dry_run: bool
    state: str
    attachment_id: UUID | None
    position: int
    taken: int
    known: int
    refused: int
    problems: int
    by_kind: dict[str, dict[str, int]]
    started_at: datetime
    finished_at: datetime | None
    error: str | None


class ImportPage(msgspec.Struct):
    """Imports, newest first."""

    items: list[Import]
    next_cursor: str | None


class ImportProblem(msgspec.Struct):
    """A record, or a part of it, that was not taken. `outcome`: refused (the record) or left_out (the part at `path`).

    `place`: the file and the line. `record`: the kind, and for a ticket its id in the source. No text of a person.
    """

    position: int
    outcome: str
    place: str
    record: str
    path: str
    found: str
    expected: str


class ImportProblemPage(msgspec.Struct):
    """Problems in the order of the file."""

    items: list[ImportProblem]
    next_cursor: str | None


def _shown(job: ImportJob, status: int = 200) -> Answer:
    where = {"Location": f"/v1/imports/{job.id}"} if status == 202 else {}
    return Answer(msgspec.convert(job, Import, from_attributes=True), status=status, headers=where)


def _import_id(call: AnyCall) -> UUID:
    return pages.id_of(call.params["import_job"], "import")


@operations.add(
    "POST",
    "/v1/imports",
    cost=Cost.heavy,
    summary="Import tickets",
    needs=Permission.imports_manage,
    body=ImportWanted,
    answers={202: Import},
    problems=(409,),
)
def start_import(call: Call[ImportWanted]) -> Answer:
    """Starts a job that takes the records of the uploaded file with their instants. It sends nothing, calls no webhook,
    and no life cycle reacts.

    A record that was taken before, by its id in the source, stays as it is; so a repetition is safe. A record that
    cannot be taken does not stop the others; see the problems of the import. One import runs at a time.
    """
    upload = _upload(call)
    mapping = mappings.convert(call.body.mapping)
    job = jobs.start(
        call.body.format,
        mapping,
        content=upload["sha256"] or "",
        dry_run=call.body.dry_run,
        actor=call.caller.actor,
        owner_id=call.caller.owner_id,
        attachment_id=upload["id"],
        source=call.body.source,
    )
    _enqueue(job)
    return _shown(job, 202)


def _upload(call: Call[ImportWanted]) -> AttachmentRow:
    """Return the caller's upload. Raises Invalid."""
    try:
        row = attachments.get(call.body.attachment_id)
    except NotFound:
        row = None
    if row is None or row["state"] != "uploaded" or row["uploaded_by"] != call.caller.key:
        raise Invalid([FieldProblem("/attachment_id", "expected an upload of yours that no message has yet")])
    if not scans.is_released(row["scan"]):
        raise Invalid([FieldProblem("/attachment_id", scans.reason(row["scan"] or "", row["scan_detail"]))])
    return row


def _enqueue(job: ImportJob) -> None:
    tasks.enqueue(RunImport(import_id=job.id), key=f"import:{job.id}")


@operations.add(
    "GET",
    "/v1/imports",
    summary="List imports",
    needs=Permission.imports_manage,
    query=pages.PageQuery,
    answers={200: ImportPage},
)
def list_imports(call: Call[None, pages.PageQuery]) -> Answer:
    """Newest first, also those of the command. They are kept for 30 days."""
    before = pages.decode(call.query.cursor, "imports", UUID)
    rows = jobs.page(before=before[0] if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "imports", lambda row: (row.id,))
    return Answer(ImportPage([msgspec.convert(row, Import, from_attributes=True) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/imports/{import_job}",
    summary="Get an import",
    needs=Permission.imports_manage,
    answers={200: Import},
    problems=(404,),
)
def read_import(call: Call) -> Answer:
    """With its progress."""
    return _shown(jobs.find(_import_id(call)))


@operations.add(
    "GET",
    "/v1/imports/{import_job}/problems",
    summary="List the problems of an import",
    needs=Permission.imports_manage,
    query=pages.PageQuery,
    answers={200: ImportProblemPage},
    problems=(404,),
)
def list_import_problems(call: Call[None, pages.PageQuery]) -> Answer:
    """Each record or part that was not taken, with its place and the reason. At most 10,000 are kept."""
    job = jobs.find(_import_id(call))
    after = pages.decode(call.query.cursor, "import_problems", pages.number)
    rows = jobs.problems_of(job.id, after=after[0] if after else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "import_problems", lambda row: (row["position"],))
    names = ImportProblem.__struct_fields__
    return Answer(ImportProblemPage([ImportProblem(**{name: row[name] for name in names}) for row in page], cursor))


@operations.add(
    "POST",
    "/v1/imports/{import_job}/cancellation",
    summary="Cancel an import",
    needs=Permission.imports_manage,
    answers={200: Import},
    problems=(404,),
)
def cancel_import(call: Call) -> Answer:
    """Stops before the next records. What was taken stays."""
    return _shown(jobs.cancel(_import_id(call)))


@operations.add(
    "POST",
    "/v1/imports/{import_job}/resumption",
    summary="Resume an import",
    needs=Permission.imports_manage,
    answers={202: Import},
    problems=(404,),
)
def resume_import(call: Call) -> Answer:
    """Lets an import that was given up go on with its next record. Another one stays as it is."""
    job = jobs.resume(_import_id(call))
    if job.state == jobs.RUNNING and job.attachment_id is not None:
        _enqueue(job)
    return _shown(job, 202)
