"""A scheduled message's time has come: hand it to the send queue."""

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
    """Given up: the delivery has failed, visibly, instead of staying scheduled for ever."""
    attempts.give_up(payload.delivery_id, reason)


ACTOR = Actor(run, on_dead)
