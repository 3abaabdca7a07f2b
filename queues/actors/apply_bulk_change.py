"""The actor that runs a bulk change, batch by batch."""

from __future__ import annotations

from models.bulk import jobs, running
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import ApplyBulkChange
from queues.actor import Actor
from queues.job_steps import run_steps
from queues.settlement import Settlement


def run(task: ClaimedTask, payload: ApplyBulkChange) -> Settlement:
    """Each batch is a transaction of its own that stores the outcomes of its tickets."""
    return run_steps(lambda: running.step(payload.bulk_id))


def on_dead(task: ClaimedTask, payload: ApplyBulkChange, reason: str) -> None:
    """Show the reason at the bulk change; `POST /v1/bulk_changes/{id}/resumption` lets it go on."""
    jobs.fail(payload.bulk_id, reason)


ACTOR = Actor(run, on_dead)
