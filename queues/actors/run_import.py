"""The actor that runs an import of the API, batch by batch, from the caller's upload."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from models.attachments import queries as attachments
from models.attachments import rules
from models.blobs import commands as blobs
from models.imports import bundles, jobs
from models.kernel.errors import Invalid, NotFound
from models.kernel.storage import database
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import RunImport
from queues.actor import Actor
from queues.import_html import sanitise
from queues.job_steps import run_steps
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: RunImport) -> Settlement:
    """Each batch is a transaction of its own that moves the position. A file that cannot be read ends the import."""
    with database.connection():
        job = jobs.find(payload.import_id)
        assert job.attachment_id is not None, "an import of the API has an upload"
        if job.state != jobs.RUNNING:
            return Done()
    try:
        with tempfile.TemporaryDirectory(prefix="nestor-import-") as folder:
            bundle = bundles.of_path(_fetched(job, Path(folder)))
            with closing(bundle):
                steps = jobs.Run(job, bundle, sanitise=sanitise)
                return run_steps(steps.step)
    except (Invalid, NotFound) as error:
        reason = "; ".join(f"{one.path}: {one.message}" for one in error.problems) if isinstance(error, Invalid) else ""
        message = reason or error.message
        return Done(lambda: jobs.fail(job.id, message))


def _fetched(job: jobs.ImportJob, folder: Path) -> Path:
    """Copy the upload into the folder. Raises NotFound if its bytes are gone."""
    assert job.attachment_id is not None, "the caller has checked it"
    with database.connection():
        row = attachments.get(job.attachment_id)
    if row["object_key"] is None:
        raise NotFound("the uploaded file is gone; upload it again and start another import")
    path = folder / rules.file_name(row["filename"])
    with blobs.open_key(row["object_key"]) as stream, path.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
    return path


def on_dead(task: ClaimedTask, payload: RunImport, reason: str) -> None:
    """Show the reason at the import; `POST /v1/imports/{id}/resumption` lets it go on."""
    jobs.fail(payload.import_id, reason)


ACTOR = Actor(run, on_dead)
