"""The actor that runs a migration of tickets, batch by batch."""

from __future__ import annotations

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import MigrateTickets
from models.ticket_workflow import jobs
from queues.actor import Actor
from queues.job_steps import run_steps
from queues.settlement import Settlement


def run(task: ClaimedTask, payload: MigrateTickets) -> Settlement:
    """Each batch is a transaction of its own that moves the cursor."""
    return run_steps(lambda: jobs.step_migration(payload.migration_id))


def on_dead(task: ClaimedTask, payload: MigrateTickets, reason: str) -> None:
    """Show the reason at the job; `POST /v1/workflow_migrations/{id}/resumption` lets it go on."""
    jobs.fail_migration(payload.migration_id, reason)


ACTOR = Actor(run, on_dead)
