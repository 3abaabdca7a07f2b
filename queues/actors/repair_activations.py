"""The actor that completes the stuck activations of users."""

from __future__ import annotations

from models.onboarding import commands as onboarding
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import RepairActivations
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: RepairActivations) -> Settlement:
    """Each repair is a transaction of its own."""
    onboarding.repair()
    return Done()


ACTOR = Actor(run)
