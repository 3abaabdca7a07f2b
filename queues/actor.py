"""The actor: the object that each file of `queues/actors` declares for its kind of task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.tasks.commands import ClaimedTask
from queues.settlement import Settlement


def _tell_nobody(task: ClaimedTask, reason: str) -> None:
    """The dead letter itself is the only record: nothing else shows the task's result."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The functions that a worker runs for one kind of task."""

    # Runs the task. Safe to run more than once. An exception counts as a failure; a permanent one is not repeated.
    run: Callable[[ClaimedTask], Settlement]
    # Tells people that the task was given up, in the transaction that records the dead letter.
    on_dead: Callable[[ClaimedTask, str], None] = _tell_nobody
