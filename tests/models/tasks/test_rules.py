"""Retries as decisions: growth, jitter, cap, patience."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.tasks.kinds import KINDS, QUEUES, TaskKind
from models.tasks.rules import GiveUp, Retry, after_failure, backoff_s

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
jitters = st.floats(0, 1, exclude_max=True)
kinds = st.builds(
    TaskKind,
    st.just("any"),
    attempts_max=st.integers(1, 300),
    backoff_s=st.floats(0.01, 60),
    backoff_s_max=st.floats(60, 3600),
    patience_s=st.floats(60, 100_000),
)


@given(kinds, st.integers(1, 5_000), jitters)
def test_a_wait_is_half_to_whole_of_the_doubled_one_and_never_above_the_cap(
    kind: TaskKind, attempts: int, jitter: float
) -> None:
    whole = min(kind.backoff_s * 2.0 ** min(attempts - 1, 40), kind.backoff_s_max)

    wait_s = backoff_s(kind, attempts=attempts, jitter=jitter)

    assert whole / 2 <= wait_s <= whole <= kind.backoff_s_max


@given(kinds, st.integers(1, 200), jitters)
def test_waits_grow_until_the_cap(kind: TaskKind, attempts: int, jitter: float) -> None:
    now, later = (backoff_s(kind, attempts=n, jitter=jitter) for n in (attempts, attempts + 1))

    assert later >= now


@given(kinds, st.integers(1, 400), jitters, st.floats(0, 200_000), st.none() | st.floats(0, 10_000))
def test_a_failure_is_retried_only_within_attempts_and_patience_and_not_before_the_provider_allows(
    kind: TaskKind, attempts: int, jitter: float, age_s: float, retry_after_s: float | None
) -> None:
    decision = after_failure(
        kind,
        attempts=attempts,
        first_run_at=NOON - timedelta(seconds=age_s),
        now=NOON,
        error="no",
        permanent=False,
        retry_after_s=retry_after_s,
        jitter=jitter,
    )

    if isinstance(decision, Retry):
        assert attempts < kind.attempts_max
        assert decision.wait_s >= (retry_after_s or 0)
        assert age_s + decision.wait_s <= kind.patience_s + 0.001
    else:
        assert "given up after" in decision.reason
        assert decision.reason.endswith("no")


def test_a_permanent_failure_ends_at_the_first_attempt_with_its_own_reason() -> None:
    decision = after_failure(
        TaskKind("any"),
        attempts=1,
        first_run_at=NOON,
        now=NOON,
        error="blocked",
        permanent=True,
        retry_after_s=None,
        jitter=0.5,
    )

    assert decision == GiveUp("blocked")


def test_a_send_outlives_a_night_without_its_provider() -> None:
    kind, at, attempts = KINDS["send_delivery"], NOON, 0
    while True:
        attempts += 1
        decision = after_failure(
            kind,
            attempts=attempts,
            first_run_at=NOON,
            now=at,
            error="away",
            permanent=False,
            retry_after_s=None,
            jitter=0.0,
        )
        if isinstance(decision, GiveUp):
            break
        at += timedelta(seconds=decision.wait_s)

    assert at - NOON > timedelta(hours=12)
    assert at - NOON <= timedelta(hours=24)


def test_every_kind_goes_to_a_declared_queue_and_ends_before_its_worker_is_stopped() -> None:
    from models.kernel import limits

    for kind in KINDS.values():
        assert kind.queue in QUEUES, kind.name
        assert kind.time_limit_s <= limits.actor_time_limit_s, kind.name
