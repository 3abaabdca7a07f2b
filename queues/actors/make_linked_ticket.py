"""The actor that makes the ticket that a life cycle requested, and links it to the requesting ticket."""

from __future__ import annotations

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import MakeLinkedTicket
from models.ticket_actions import linked_tickets
from models.ticket_workflow import failures
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: MakeLinkedTicket) -> Settlement:
    """Make the ticket. It commits together with the task's end, so it is made once."""
    return Done(lambda: linked_tickets.make(payload.ticket_id, payload.event_id, causation_id=f"task:{task.id}"))


def on_dead(task: ClaimedTask, payload: MakeLinkedTicket, reason: str) -> None:
    """Record the failure in the requesting ticket's history."""
    failures.record_automation_failure(payload.ticket_id, event="linked_ticket_wanted", task_id=task.id, reason=reason)


ACTOR = Actor(run, on_dead)
