"""The actor that lets a consumer of the event log read on to the end."""

from __future__ import annotations

import itertools

from models.events.following import consumers, parking
from models.kernel import limits
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import FollowLog
from queues import log_consumers
from queues.actor import Actor
from queues.job_steps import run_steps
from queues.settlement import Postponed, Settlement


def run(task: ClaimedTask, payload: FollowLog) -> Settlement:
    """Each step is a transaction of its own that moves the consumer's position.

    After attempts that ended with their worker, the events of the batch at which they died are applied one by one.
    """
    consumer = log_consumers.by_name(payload.consumer)
    if consumer is None:
        return Postponed(limits.unknown_kind_delay_s, f"this release has no consumer {payload.consumer}")
    careful_steps = consumer.batch_max if task.attempts > parking.attempts_before_care else 0
    numbers = itertools.count()

    def step() -> bool:
        return parking.careful_step(consumer) if next(numbers) < careful_steps else consumers.step(consumer)

    return run_steps(step)


ACTOR = Actor(run)
