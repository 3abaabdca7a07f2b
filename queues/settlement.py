"""The result of a task's run, as a value: the effect to record, and the task's next state.

The runner calls `record` and settles the task in one transaction, fenced by the lease: an effect in our database
happens once even when the task runs twice.

A run that called another server knows the server's answer, which stays true after the lease was lost. The runner then
calls `late` in a transaction of its own; `late` needs its own fence (the attempt's id). `late` also makes the runner
wait through an outage of the database, because nobody else knows the answer.
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
    """The task runs again in `wait_s` seconds; the attempt does not count."""

    wait_s: float
    reason: str
    record: Callable[[], None] = _nothing
    late: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task failed: it is retried with backoff unless `permanent`; after the last attempt the actor's `on_dead` is
    called.
    """

    error: str
    permanent: bool = False
    retry_after_s: float | None = None
    record: Callable[[], None] = _nothing
    late: Callable[[], None] | None = None


Settlement = Done | Postponed | Failed
