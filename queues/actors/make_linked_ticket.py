"""Make the ticket that a life cycle asked for, and link it to the one that asked."""

from __future__ import annotations

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import MakeLinkedTicket
from models.ticket_actions import linked_tickets
from models.ticket_workflow import failures
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: MakeLinkedTicket) -> Settlement:
    """All in our own database: the ticket commits together with the task's end, so it is made once."""
    return Done(lambda: linked_tickets.make(payload.ticket_id, payload.event_id, causation_id=f"task:{task.id}"))


def on_dead(task: ClaimedTask, payload: MakeLinkedTicket, reason: str) -> None:
    """Given up: the ticket that asked says so."""
    failures.record_automation_failure(payload.ticket_id, event="linked_ticket_wanted", task_id=task.id, reason=reason)


ACTOR = Actor(run, on_dead)
