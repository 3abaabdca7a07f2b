"""The actor that ends the snooze of a ticket at its instant."""

from __future__ import annotations

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import WakeTicket
from models.ticket_actions.sorting import snoozing
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: WakeTicket) -> Settlement:
    """Wake the ticket. The effect is in our own database only, and commits together with the task's end."""
    return Done(lambda: snoozing.wake_at_instant(payload, causation_id=f"task:{task.id}"))


ACTOR = Actor(run)
