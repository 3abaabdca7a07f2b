"""The actor that delivers one event to one subscriber: signed, retried for days under one id, into our own network only
if allowed.
"""

from __future__ import annotations

from functools import partial

from models.events import signing, subscription_limits, subscription_rules
from models.kernel import clock, limits, settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.subscriptions import deliveries, payloads, queries, waiting
from models.subscriptions.deliveries import Attempt
from models.subscriptions.queries import Subscription
from models.subscriptions.row_types import OutgoingEvent, OutgoingMessageText
from models.tasks import task_leases
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import DeliverWebhook
from models.visibility import owners
from queues.actor import Actor
from queues.outside import safe_http
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("webhook")


def run(task: ClaimedTask, payload: DeliverWebhook) -> Settlement:
    """Make one attempt. 2xx: delivered. Any other status, also a redirect, is retried; 410 switches the subscription
    off.
    """
    subscription_id, event_id = payload.subscription_id, payload.event_id
    with database.connection():
        found = deliveries.wanted(subscription_id, event_id)
        if found is None:
            return Done(partial(deliveries.settle_unwanted, subscription_id, event_id))
        subscription, event = found
        if (rest_s := waiting.rest_s(subscription)) > 0:
            # Claimed just before the rest began, which moved all that waited (models/subscriptions/waiting.py).
            return Postponed(rest_s + subscription_limits.probe_s, "the receiver fails and rests")
        seen = owners.seen_event(event, subscription.owner_id)
        if seen is None:
            return Done(partial(deliveries.withhold, subscription_id, event_id))
        message = _message(subscription, seen)
    if task.attempts > 1:
        task_leases.confirm(task)
    content = payloads.body(seen, include_bodies=subscription.include_bodies, message=message)
    attempt, retry_after_s = _call(subscription, str(event_id), content)
    log.info(
        "webhook_called",
        status=attempt.status,
        subscription_id=subscription_id,
        delivered=attempt.error is None,
    )
    record = partial(deliveries.record, subscription, event_id, attempt)
    if attempt.error is None:
        return Done(record, late=record)
    if attempt.status == 410:
        return Done(record, late=record)  # switched off: the delivery is `missed`, nothing is left to try
    # This delivery is no longer the probe: it waits at least as long as the deliveries that the rest moves.
    if (next_rest_s := subscription_rules.rest_s(subscription.failures + 1)) > 0:
        retry_after_s = max(retry_after_s or 0.0, next_rest_s + subscription_limits.probe_s)
    return Failed(attempt.error, retry_after_s=retry_after_s, record=record, late=record)


def _message(subscription: Subscription, event: OutgoingEvent) -> OutgoingMessageText | None:
    message_id = event["payload"].get("message_id") if subscription.include_bodies else None
    return None if message_id is None else queries.message(str(message_id))


def _call(subscription: Subscription, message_id: str, content: bytes) -> tuple[Attempt, float | None]:
    """Call the receiver: the only network access of this task."""
    now = clock.now()
    signers = subscription_rules.secrets_in_force(
        subscription.signing_secret, subscription.previous_signing_secret, subscription.previous_secret_until, now=now
    )
    try:
        answer = safe_http.call(
            "POST",
            subscription.url,
            headers=signing.headers(message_id, now, content, [signing.subscription_key(one) for one in signers]),
            body=content,
            private=settings.current().webhooks_private,
            connect_s=subscription_limits.connect_s,
            total_s=subscription_limits.call_total_s,
            body_bytes_max=subscription_limits.response_chars_kept * 4,
        )
    except (safe_http.AddressRefused, safe_http.NotReached, safe_http.NoAnswer) as failure:
        spent_ms = int((clock.now() - now).total_seconds() * 1000)
        return Attempt(now, max(spent_ms, 0), None, None, failure.message[: limits.error_chars_max]), None
    taken = 200 <= answer.status < 300
    said = answer.body.decode("utf-8", "replace").replace("\x00", "\ufffd")[: subscription_limits.response_chars_kept]
    error = None if taken else f"the receiver answered {answer.status}"
    return Attempt(now, answer.duration_ms, answer.status, said, error), answer.retry_after_s()


def on_dead(task: ClaimedTask, payload: DeliverWebhook, reason: str) -> None:
    """Mark the delivery as failed, after days of attempts. It can be replayed."""
    deliveries.give_up(payload.subscription_id, payload.event_id, reason[: limits.error_chars_max])


ACTOR = Actor(run, on_dead)
