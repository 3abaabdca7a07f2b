"""Let a ticket's life cycle react to a message, a timer, a signal or a failed delivery."""

from __future__ import annotations

from uuid import UUID

from models.tasks.commands import ClaimedTask
from models.ticket_actions import commands as tickets
from models.ticket_workflow import failures
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask) -> Settlement:
    """All in our own database: the reaction commits together with the task's end."""
    payload = task.payload
    return Done(lambda: tickets.advance(UUID(payload["ticket_id"]), payload, causation_id=f"task:{task.id}"))


def on_dead(task: ClaimedTask, reason: str) -> None:
    """Given up: the ticket's history says so, and the task can be retried."""
    failures.record_automation_failure(
        UUID(task.payload["ticket_id"]), event=task.payload["event"], task_id=task.id, reason=reason
    )


ACTOR = Actor(run, on_dead)
