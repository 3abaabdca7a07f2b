"""The actor that lets a ticket's life cycle react to a message, a timer, a signal or a failed delivery."""

from __future__ import annotations

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import AdvanceTicket
from models.ticket_actions import commands as tickets
from models.ticket_workflow import failures
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: AdvanceTicket) -> Settlement:
    """React. The reaction is in our own database only, and commits together with the task's end."""
    return Done(lambda: tickets.advance(payload, causation_id=f"task:{task.id}"))


def on_dead(task: ClaimedTask, payload: AdvanceTicket, reason: str) -> None:
    """Record the failure in the ticket's history. The task can be retried."""
    failures.record_automation_failure(payload.ticket_id, event=payload.event, task_id=task.id, reason=reason)


ACTOR = Actor(run, on_dead)
