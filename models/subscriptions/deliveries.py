"""Outcomes of webhook calls: the attempt log, the delivery's state and the receiver's failure count.

All functions but `collect` join the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from models.events import subscription_limits, subscription_rules
from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.subscriptions import commands, queries, waiting
from models.subscriptions.queries import Subscription
from models.subscriptions.row_types import OutgoingEvent
from models.subscriptions.tables import WebhookAttempt, WebhookDelivery


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a receiver.

    `status` is None without a response. `error` is None if the receiver accepted the call. `id` is the key in the
    attempt log.
    """

    started_at: datetime
    duration_ms: int
    status: int | None
    response: str | None
    error: str | None
    id: UUID = field(default_factory=new_id)


def wanted(subscription_id: UUID, event_id: UUID) -> tuple[Subscription, OutgoingEvent] | None:
    """Return the subscription and the event of a delivery that is still to be sent, or None."""
    row = database.one(
        "SELECT state FROM webhook_deliveries WHERE subscription_id = :id AND event_id = :event",
        id=subscription_id,
        event=event_id,
    )
    if row is None or row["state"] != "pending":
        return None
    subscription, event = queries.find(subscription_id), queries.event(event_id)
    return None if subscription is None or event is None or not subscription.active else (subscription, event)


def withhold(subscription_id: UUID, event_id: UUID) -> None:
    """Remove the delivery of an event that the subscription's owner may not see: the log must not show it."""
    for table in (WebhookAttempt, WebhookDelivery):
        table.delete().where(table.subscription_id == subscription_id, table.event_id == event_id).execute()


def settle_unwanted(subscription_id: UUID, event_id: UUID) -> None:
    """Settle a pending delivery whose task found the subscription inactive.

    Such a delivery is written while its webhook is being switched off, paused or deleted.
    """
    subscription = queries.find(subscription_id, lock=True)
    if subscription is not None and subscription.active:
        row = database.one(
            "SELECT state FROM webhook_deliveries WHERE subscription_id = :id AND event_id = :event",
            id=subscription_id,
            event=event_id,
        )
        if row is not None and row["state"] == "pending" and queries.event(event_id) is not None:
            commands.enqueue(subscription_id, [event_id])  # switched on again after the task read the state
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
    """Record an attempt; a failure may start a rest of the receiver or switch the subscription off.

    The record may arrive late, after another run of the task: a delivery in the state `delivered` keeps that state. The
    record may arrive twice, when the response to a commit was lost: the second record changes nothing.
    """
    failed = attempt.error is not None
    # Lock order: the subscription before its delivery. A success of a healthy subscription does not change its row.
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
        return  # recorded already, or deleted by `collect` while the call ran
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
    """Store the failure count of the receiver. The version stays, because no person changed the subscription."""
    database.execute(
        "UPDATE subscriptions SET failures = :failures, failing_since = :since, blocked_until = :until WHERE id = :id",
        failures=failures,
        since=failing_since,
        until=blocked_until,
        id=held.id,
    )


def give_up(subscription_id: UUID, event_id: UUID, reason: str) -> None:
    """Mark a pending delivery as failed after days of attempts; it can be replayed."""
    database.execute(
        "UPDATE webhook_deliveries SET state = 'failed', last_error = :reason, finished_at = :now"
        " WHERE subscription_id = :id AND event_id = :event AND state = 'pending'",
        reason=reason,
        now=clock.now(),
        id=subscription_id,
        event=event_id,
    )


def collect(*, batch_max: int) -> int:
    """Delete attempts and finished deliveries after their retention time; return the number of rows.

    Opens its own transaction.
    """
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
