"""The actor: the object that each file of `queues/actors` declares for its kind of task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import Payload
from queues.settlement import Settlement

P = TypeVar("P", bound=Payload)


def _tell_nobody(task: ClaimedTask, payload: Payload, reason: str) -> None:
    """Report nothing: the dead letter is the only record, because no other place shows the task's result."""


@dataclass(frozen=True, slots=True)
class Actor(Generic[P]):
    """The functions that a worker runs for one kind of task. `P`: the payload type that models/tasks/kinds.py names for
    the kind.
    """

    # Runs the task. Safe to run more than once. An exception counts as a failure; a permanent one is not repeated.
    run: Callable[[ClaimedTask, P], Settlement]
    # Tells people that the task was given up, in the transaction that records the dead letter.
    on_dead: Callable[[ClaimedTask, P, str], None] = _tell_nobody
