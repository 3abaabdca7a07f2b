"""The runner of one task: claim, run, settle. Both stacks use it; the only module with a broad `except`."""

from __future__ import annotations

import random
import time

from dramatiq.middleware import Interrupt

from models.kernel import clock, limits
from models.kernel.errors import (
    ConfigurationError,
    Contention,
    LeaseLost,
    NestorError,
    StatementTimeout,
    TransientFailure,
    Unavailable,
    is_final,
)
from models.kernel.storage import database
from models.kernel.telemetry import crash, logs, metrics, trace
from models.tasks import commands, rules, task_leases, wakeups
from models.tasks.commands import ClaimedTask
from models.tasks.kinds import KINDS
from models.tasks.payloads import Undecodable
from queues import actors
from queues.outside import calls
from queues.processes.lease_keeper import keeper
from queues.processes.outage import outages
from queues.processes.recording import record_answer, write_until_taken
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("tasks")


def run_with_successors(task_id: int) -> None:
    """Run the task, then the one that its end has made ready on its queue (its key's next, or one that it enqueued).

    The successor needs no wakeup through the broker. After `limits.successors_max` of them, or `limits.successors_s`,
    the wakeup goes to the broker, so that other tasks get the thread.
    """
    deadline = time.monotonic() + limits.successors_s
    with wakeups.following() as take_next:
        run_task(task_id)
        for _ in range(limits.successors_max):
            if time.monotonic() > deadline or (wakeup := take_next()) is None:
                return
            run_task(wakeup.task_id)


def run_task(task_id: int) -> str:
    """Claim and run the task; returns the outcome, for metrics and tests.

    Never raises for a failure of the task. A database that is away ends the attempt, and the task returns when its
    lease expires.
    """
    try:
        task = _claim(task_id)
    except Unavailable as error:
        outages.note(error)
        log.warning("claim_impossible", task_id=task_id, code=error.code)
        return "database_away"
    if task is None:
        return "not_mine"
    crash.point("after_claim")
    metrics.task_age_seconds.labels(_label(task.kind)).observe(max(0.0, (clock.now() - task.due_at).total_seconds()))
    with (
        trace.following(task.trace) as traceparent,
        logs.bound(task_id=task.id, kind=task.kind, trace_id=trace.trace_id(traceparent)),
    ):
        started = time.perf_counter()
        outcome = _run_claimed(task)
        duration_s = time.perf_counter() - started
        metrics.task_seconds.labels(_label(task.kind)).observe(duration_s)
        metrics.task_outcomes.labels(_label(task.kind), outcome).inc()
        log.info("task_run", outcome=outcome, attempt_number=task.attempts, duration_ms=round(duration_s * 1000, 1))
    crash.point("after_finish")
    return outcome


def _claim(task_id: int) -> ClaimedTask | None:
    """Claim the task. Never takes it from this process; in the grace period after an outage leaves an expired send to
    its holder.
    """
    wait_s = outages.wait_s()
    task = commands.claim(
        task_id,
        lease_s=keeper().lease_s,
        take_expired=not keeper().holds(task_id),
        take_expired_sends=wait_s == 0,
    )
    if task is None and wait_s > 0:
        task_leases.wake_expired(task_id, wait_s=wait_s + random.random())  # noqa: S311 -- spreads the claims of all processes
    return task


def _label(kind: str) -> str:
    return kind if kind in KINDS else "unknown"


def _run_claimed(task: ClaimedTask) -> str:
    spec = KINDS.get(task.kind)
    try:
        try:
            known = spec is not None and actors.load(task.kind) is not None
        except Exception as error:  # noqa: BLE001 -- an actor that cannot be imported (module docstring)
            return _settle(task, _failure(task, error))
        if spec is None or not known:
            # A newer release enqueued the task: it waits for a newer worker (rolling update) and never becomes dead for
            # this.
            wait_s = limits.unknown_kind_delay_s * (0.5 + random.random())  # noqa: S311 -- spreads retries
            return _settle(task, Postponed(wait_s, f"this release has no actor for {task.kind}"))
        if isinstance(task.payload, Undecodable):
            return _settle(task, Failed(task.payload.reason, permanent=True))
        if task.attempts > spec.attempts_max:
            # Recorded failures would have made it dead by now. Its attempts ended without a record, so the task ends
            # its worker (memory, a crash in C), and would end one worker after the other.
            return _settle(
                task,
                Failed(f"given up: {spec.attempts_max} attempts ended with their worker", permanent=True),
            )
        deadline = time.monotonic() + spec.time_limit_s
        with keeper().keeping(task, time_limit_s=spec.time_limit_s), calls.slot(spec) as may_call:
            if not may_call:
                wait_s = limits.send_slot_delay_s * (0.5 + random.random())  # noqa: S311 -- spreads retries
                return _settle(task, Postponed(wait_s, "the process hands over as many messages as it may"))
            return _settle_in_time(task, _run_actor(task), time_left_s=deadline - time.monotonic())
    except LeaseLost:
        log.warning("lease_lost")
        return "lease_lost"
    except Unavailable as error:
        outages.note(error)
        log.warning("settling_impossible")
        return "database_away"


def _run_actor(task: ClaimedTask) -> Settlement:
    actor = actors.load(task.kind)
    assert actor is not None
    try:
        return actor.run(task, task.payload)
    except (Interrupt, Exception) as error:  # noqa: BLE001 -- the one place (module docstring)
        return _failure(task, error)


def _failure(task: ClaimedTask, error: BaseException) -> Settlement:
    """Return the settlement for an exception.

    Raises Unavailable and LeaseLost again, because nothing can be recorded then. After a statement timeout or a
    deadlock the database can record the failure.
    """
    if isinstance(error, Unavailable | LeaseLost) and not isinstance(error, StatementTimeout | Contention):
        raise error
    if isinstance(error, ConfigurationError):
        # The operator fixes it, or a worker that has the credential takes the task. No attempt is used up meanwhile.
        return Postponed(_operator_wait_s(task), f"{error.code}: {error.message}")
    if isinstance(error, TransientFailure):
        return Failed(error.message, retry_after_s=error.retry_after_s)
    if isinstance(error, NestorError):
        return Failed(f"{error.code}: {error.message}", permanent=is_final(error))
    log.error("actor_raised", exc_info=error)
    # The message may quote a body (PostgreSQL quotes the row), and this text outlives the ticket. The log has the
    # traceback.
    return Failed(logs.named(error))


def _operator_wait_s(task: ClaimedTask) -> float:
    """Return the wait of a task that lacks its configuration, in seconds: a quarter of its age, within limits."""
    waited_s = (clock.now() - task.first_run_at).total_seconds()
    whole = min(max(waited_s / 4, limits.operator_wait_s_min), limits.operator_wait_s_max)
    return whole * (0.5 + random.random() / 2)  # noqa: S311 -- spreads retries


def _settle_in_time(task: ClaimedTask, settlement: Settlement, *, time_left_s: float) -> str:
    """Settle, also through an outage of the database: without a record of another server's answer, the call is
    repeated.

    The lease is renewed meanwhile. When another worker has taken the task over, the answer is still recorded
    (`Settlement.late`).
    """
    if settlement.late is None:
        return write_until_taken(lambda: _settle(task, settlement), within_s=time_left_s)
    try:
        return record_answer(task, lambda: _settle(task, settlement))
    except LeaseLost:
        return record_answer(task, lambda: _settle_late(settlement))


def _settle_late(settlement: Settlement) -> str:
    """Record the answer that a run got before it lost its lease. A failing record is logged only: another worker has
    the task.
    """
    assert settlement.late is not None
    try:
        with database.transaction():
            settlement.late()
    except Unavailable:
        raise
    except (Interrupt, Exception) as error:
        log.error("late_record_failed", exc_info=error)
        return "lease_lost"
    log.warning("recorded_late")
    return "recorded_late"


def _settle(task: ClaimedTask, settlement: Settlement) -> str:
    """Record the effect and the task's end in one transaction. A failing record is a failed task."""
    try:
        return _record(task, settlement)
    except (LeaseLost, Unavailable):
        raise
    except (Interrupt, Exception) as error:  # noqa: BLE001 -- a record that fails is a task that fails
        return _record_failure(task, _failure(task, error))


def _record_failure(task: ClaimedTask, failure: Settlement) -> str:
    """Record a failure. When `on_dead` fails as well, the task ends without it; otherwise it would
    return without end.
    """
    try:
        return _record(task, failure)
    except (LeaseLost, Unavailable):
        raise
    except (Interrupt, Exception) as error:
        log.error("on_dead_failed", exc_info=error)
        return _record(task, failure, tell=False)


def _record(task: ClaimedTask, settlement: Settlement, *, tell: bool = True) -> str:
    with wakeups.keeping(task.queue), database.transaction():
        settlement.record()
        crash.point("after_effect")
        match settlement:
            case Done():
                commands.finish(task)
                return "done"
            case Postponed(wait_s, reason):
                wait_s = min(wait_s, limits.provider_wait_s_max)
                if (over := commands.patience_over(task, wait_s=wait_s)) is not None:
                    return _failed(task, Failed(f"{over}: {reason}", permanent=True), tell=tell)
                commands.postpone(task, wait_s=wait_s, reason=reason)
                return "postponed"
            case Failed(error, permanent, retry_after_s):
                return _failed(task, Failed(error, permanent, retry_after_s), tell=tell)


def _failed(task: ClaimedTask, failed: Failed, *, tell: bool) -> str:
    """Record a failed attempt; after the last one call the actor's `on_dead`. Joins the caller's transaction."""
    retry_after_s = None if failed.retry_after_s is None else min(failed.retry_after_s, limits.provider_wait_s_max)
    decision = commands.fail(task, failed.error, permanent=failed.permanent, retry_after_s=retry_after_s)
    if isinstance(decision, rules.Retry):
        return "retried"
    if not tell or isinstance(task.payload, Undecodable):
        return "dead"  # an undecodable payload does not say whom to tell
    actor = actors.load(task.kind)
    if actor is not None:
        actor.on_dead(task, task.payload, decision.reason)
    return "dead"
