"""Decisions about retries; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.tasks.kinds import TaskKind


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `wait_s` seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make it a dead letter, with the reason that a person reads."""

    reason: str


def after_failure(
    kind: TaskKind,
    *,
    attempts: int,
    first_run_at: datetime,
    now: datetime,
    error: str,
    permanent: bool,
    retry_after_s: float | None,
    jitter: float,
) -> Retry | GiveUp:
    """Decide what follows a failed attempt number `attempts` (from 1); `jitter` is a random number in [0, 1).

    A provider's `retry_after_s` is a lower bound for the wait.
    """
    if permanent:
        return GiveUp(error)
    if attempts >= kind.attempts_max:
        return GiveUp(f"given up after {attempts} attempts: {error}")
    wait_s = backoff_s(kind, attempts=attempts, jitter=jitter)
    if retry_after_s is not None:
        wait_s = max(wait_s, retry_after_s)
    if now + timedelta(seconds=wait_s) > first_run_at + timedelta(seconds=kind.patience_s):
        hours = kind.patience_s / 3600
        return GiveUp(f"given up after {hours:.0f} hours and {attempts} attempts: {error}")
    return Retry(wait_s)


def backoff_s(kind: TaskKind, *, attempts: int, jitter: float) -> float:
    """Return an exponential backoff with jitter, 50 to 100 % of the doubled wait, so that a thousand failed tasks do
    not retry together.
    """
    whole = min(kind.backoff_s * 2.0 ** min(attempts - 1, 40), kind.backoff_s_max)
    return whole * (0.5 + jitter / 2)
