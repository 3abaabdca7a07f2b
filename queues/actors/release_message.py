"""The actor that moves a scheduled message to the send queue at its time."""

from __future__ import annotations

from models.deliveries import attempts
from models.deliveries import commands as deliveries
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import ReleaseMessage
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: ReleaseMessage) -> Settlement:
    delivery_id = payload.delivery_id
    return Done(lambda: deliveries.release(delivery_id))


def on_dead(task: ClaimedTask, payload: ReleaseMessage, reason: str) -> None:
    """Mark the delivery as failed, so that it does not stay scheduled."""
    attempts.give_up(payload.delivery_id, reason)


ACTOR = Actor(run, on_dead)
