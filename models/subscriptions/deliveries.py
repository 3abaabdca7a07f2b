"""What came of a call: the attempt log, the delivery's state, and what is known of the receiver. Join the caller's
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.events import subscription_limits, subscription_rules
from models.kernel import clock, database
from models.kernel.ids import new_id
from models.subscriptions import commands, queries, waiting
from models.subscriptions.queries import Subscription


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. `status` is None when there was no answer; `error` is None when it was taken. `id` names the call in
    the log.
    """

    started_at: datetime
    duration_ms: int
    status: int | None
    response: str | None
    error: str | None
    id: UUID = field(default_factory=new_id)


def wanted(subscription_id: UUID, event_id: UUID) -> tuple[Subscription, dict[str, Any]] | None:
    """The subscription and the event of a delivery that is still to be made, or None."""
    row = database.one(
        "SELECT state FROM webhook_deliveries WHERE subscription_id = :id AND event_id = :event",
        id=subscription_id,
        event=event_id,
    )
    if row is None or row["state"] != "pending":
        return None
    subscription, event = queries.find(subscription_id), queries.event(event_id)
    return None if subscription is None or event is None or not subscription.active else (subscription, event)


def settle_unwanted(subscription_id: UUID, event_id: UUID) -> None:
    """A delivery that was written while its webhook was being switched off, and whose task found it so."""
    subscription = queries.find(subscription_id, lock=True)
    if subscription is not None and subscription.active:
        row = database.one(
            "SELECT state FROM webhook_deliveries WHERE subscription_id = :id AND event_id = :event",
            id=subscription_id,
            event=event_id,
        )
        if row is not None and row["state"] == "pending" and queries.event(event_id) is not None:
            commands.enqueue(subscription_id, [event_id])  # switched on again since the task looked
        return
    missed = subscription is not None and subscription.state == "switched_off"
    database.execute(
        "UPDATE webhook_deliveries SET state = :state, last_error = 'the webhook is off', finished_at = :now"
        " WHERE subscription_id = :id AND event_id = :event AND state = 'pending'",
        state="missed" if missed else "discarded",
        now=clock.now(),
        id=subscription_id,
        event=event_id,
    )


def record(subscription: Subscription, event_id: UUID, attempt: Attempt) -> None:
    """Write the attempt; a failure may make the receiver rest, or switch the subscription off.

    May come late, after another run of the task: what was delivered stays delivered. May come twice, when the answer to
    a commit was lost: the second time changes nothing.
    """
    failed = attempt.error is not None
    # Whoever changes both holds the subscription first; a success of a healthy one leaves its row alone.
    held = queries.find(subscription.id, lock=True) if failed or subscription.failing_since else None
    written = database.execute(
        "INSERT INTO webhook_attempts (id, subscription_id, event_id, number, started_at, duration_ms, status,"
        " response, error)"
        " SELECT :attempt, subscription_id, event_id, attempts + 1, :at, :duration_ms, :status, :response, :error"
        " FROM webhook_deliveries WHERE subscription_id = :id AND event_id = :event FOR_UPDATE ON CONFLICT (id) DO"
        " NOTHING",
        attempt=attempt.id,
        at=attempt.started_at,
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        response=attempt.response,
        error=attempt.error,
        id=subscription.id,
        event=event_id,
    ).rowcount
    if not written:
        return  # recorded before, or too old and collected while the call ran
    database.execute(
        "UPDATE webhook_deliveries SET attempts = attempts + 1, "
        " last_status = CASE WHEN :failed AND state = 'delivered' THEN last_status ELSE :status END,"
        " last_error = CASE WHEN :failed AND state = 'delivered' THEN last_error ELSE :error END,"
        " state = CASE WHEN :failed THEN state ELSE 'delivered' END, finished_at = CASE WHEN :failed THEN"
        " finished_at ELSE :now END"
        " WHERE subscription_id = :id AND event_id = :event",
        status=attempt.status,
        error=attempt.error,
        failed=failed,
        now=clock.now(),
        id=subscription.id,
        event=event_id,
    )
    if held is not None and held.active:
        _note_failure(held, attempt) if failed else _note_success(held)


def _note_failure(held: Subscription, attempt: Attempt) -> None:
    now = clock.now()
    failing_since, failures = held.failing_since or now, held.failures + 1
    rest = subscription_rules.rest_s(failures)
    _remember(
        held,
        failures=failures,
        failing_since=failing_since,
        blocked_until=now + timedelta(seconds=rest) if rest else None,
    )
    if (reason := subscription_rules.switch_off_reason(attempt.status, failing_since, now=now)) is not None:
        commands.switch_off(held, reason)
    elif rest:
        waiting.rest(held.id, rest_s=rest)


def _note_success(held: Subscription) -> None:
    _remember(held, failures=0, failing_since=None, blocked_until=None)
    if held.blocked_until is not None:
        waiting.release(held.id)


def _remember(
    held: Subscription, *, failures: int, failing_since: datetime | None, blocked_until: datetime | None
) -> None:
    """No new version: what is known of the receiver is no change that anybody made."""
    database.execute(
        "UPDATE subscriptions SET failures = :failures, failing_since = :since, blocked_until = :until WHERE id = :id",
        failures=failures,
        since=failing_since,
        until=blocked_until,
        id=held.id,
    )


def give_up(subscription_id: UUID, event_id: UUID, reason: str) -> None:
    """After days: it has failed, visibly, and can be replayed."""
    database.execute(
        "UPDATE webhook_deliveries SET state = 'failed', last_error = :reason, finished_at = :now"
        " WHERE subscription_id = :id AND event_id = :event AND state = 'pending'",
        reason=reason,
        now=clock.now(),
        id=subscription_id,
        event=event_id,
    )


def collect(*, batch_max: int) -> int:
    """Delete what is older than the log goes back; returns how many rows. A transaction of its own."""
    before = clock.now() - timedelta(seconds=subscription_limits.delivery_kept_s)
    with database.transaction():
        done = database.execute(
            "DELETE FROM webhook_attempts WHERE id IN (SELECT id FROM webhook_attempts WHERE started_at < :before"
            " LIMIT :batch)",
            before=before,
            batch=batch_max,
        ).rowcount
        done += database.execute(
            "DELETE FROM webhook_deliveries WHERE (subscription_id, event_id) IN (SELECT subscription_id, event_id"
            " FROM webhook_deliveries WHERE created_at < :before AND state <> 'pending' LIMIT :batch)",
            before=before,
            batch=batch_max,
        ).rowcount
    return int(done)
