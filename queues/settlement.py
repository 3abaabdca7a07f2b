"""How a task's run ended, as a value: what to record, and what becomes of the task.

The runner executes `record` and settles the task in one transaction, fenced by the lease: an effect in our database happens once
even when the task is run twice.
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


@dataclass(frozen=True, slots=True)
class Postponed:
    """Come back in `wait_s` seconds; not a used-up attempt."""

    wait_s: float
    reason: str
    record: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work: tried again with backoff unless `permanent`; at the end `on_dead` of the actor tells people."""

    error: str
    permanent: bool = False
    retry_after_s: float | None = None
    record: Callable[[], None] = _nothing


Settlement = Done | Postponed | Failed
