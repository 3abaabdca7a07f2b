"""The actor that activates a user whose account is open."""

from __future__ import annotations

from functools import partial

from models.identity import activation
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import ActivateUser
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: ActivateUser) -> Settlement:
    """Activate the user in the transaction that ends the task."""
    return Done(partial(activation.activate, payload.user_id, payload.account_id))


ACTOR = Actor(run)
