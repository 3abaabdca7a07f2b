"""The actor that lets a consumer of the event log read on to the end."""

from __future__ import annotations

from models.events.following import consumers
from models.kernel import limits
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import FollowLog
from queues import log_consumers
from queues.actor import Actor
from queues.job_steps import run_steps
from queues.settlement import Postponed, Settlement


def run(task: ClaimedTask, payload: FollowLog) -> Settlement:
    """Each step is a transaction of its own that moves the consumer's position."""
    consumer = log_consumers.by_name(payload.consumer)
    if consumer is None:
        return Postponed(limits.unknown_kind_delay_s, f"this release has no consumer {payload.consumer}")
    return run_steps(lambda: consumers.step(consumer))


ACTOR = Actor(run)
