"""How a task's run ended, as a value: what to record, and what becomes of the task.

The runner executes `record` and settles the task in one transaction, fenced by the lease: an effect in our database happens once
even when the task is run twice.

A run that called somebody else's server knows something that stays true when the lease was lost: what the server answered. Its `late`
is executed then, alone and in a transaction of its own. It must be fenced by itself (the attempt's id). It also tells the runner to
wait through an outage of the database for as long as it lasts, because nobody else knows the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _nothing() -> None:
    """No effect to record."""


@dataclass(frozen=True, slots=True)
class Done:
    """The task is done; `record` is its effect."""

    record: Callable[[], None] = _nothing
    late: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """Come back in `wait_s` seconds; not a used-up attempt."""

    wait_s: float
    reason: str
    record: Callable[[], None] = _nothing
    late: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work: tried again with backoff unless `permanent`; at the end `on_dead` of the actor tells people."""

    error: str
    permanent: bool = False
    retry_after_s: float | None = None
    record: Callable[[], None] = _nothing
    late: Callable[[], None] | None = None


Settlement = Done | Postponed | Failed
