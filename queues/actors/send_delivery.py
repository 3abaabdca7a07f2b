"""The actor that sends one delivery: records the attempt, calls, records the outcome. No transaction is open during the
call.
"""

from __future__ import annotations

import time
from functools import partial
from uuid import UUID

from models.attachments import scans
from models.channels import accounts
from models.deliveries import attempts, commands, queries
from models.deliveries.attempts import NotNow, OpenAttempt
from models.kernel import imports, limits, settings
from models.kernel.errors import ConfigurationError, Unavailable
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.telemetry import crash, logs, metrics
from models.ports.outbound import SendOutcome, misconfigured
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendDelivery
from queues import channels
from queues.actor import Actor
from queues.channel_port import Sender
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("send")
# A Telegram group becomes a supergroup once.
_moves_max = 5


def run(task: ClaimedTask, payload: SendDelivery) -> Settlement:
    """Send once, or return why not now."""
    delivery_id = payload.delivery_id
    with database.connection():
        known = queries.address_of(delivery_id)
        if known is None:
            return Done()
        channel, address = known.channel, known.address
        account = accounts.find(channel, known.account)
        held = scans.held(known.files_of) if known.files_of is not None else []
    if held:
        return _held_back(delivery_id, held)
    adapter = channels.complete(channel)
    sender = adapter.sender
    attempt_id = new_id()
    uncalled = partial(attempts.close_uncalled, delivery_id, attempt_id, "not called: the database went away")
    try:
        with database.transaction():
            opened = attempts.open_attempt(
                delivery_id,
                attempt_id=attempt_id,
                task=task,
                buckets=sender.buckets(account, address),
                retries_after_unknown=adapter.retries_for(account),
                buttons=adapter.buttons,
            )
        if isinstance(opened, NotNow):
            return Postponed(opened.wait_s, opened.reason) if opened.wait_s > 0 else Done()
        if opened.possibly_duplicate:
            with database.transaction():
                if not attempts.is_wanted_still(delivery_id, opened):
                    return Done()
    except Unavailable:
        # The commit may have succeeded. The attempt must not count as one that may have arrived.
        return Postponed(1.0, "the database went away before the call", uncalled, late=uncalled)
    crash.point("before_call")
    started = time.perf_counter()
    outcome = _bounded(_call(sender, opened), opened)
    duration_ms = int((time.perf_counter() - started) * 1000)
    crash.point("after_call")
    metrics.sends.labels(channel, outcome.kind).inc()
    log.info(
        "send_attempted",
        delivery_id=delivery_id,
        channel=channel,
        attempt_number=opened.number,
        outcome=outcome.kind,
        duration_ms=duration_ms,
    )
    return _settlement(delivery_id, opened, outcome, duration_ms)


def _held_back(delivery_id: UUID, held: list[scans.Held]) -> Settlement:
    """Wait for the malware scanner, or fail the delivery: the message is not sent without a file that it speaks of."""
    refused = [one for one in held if not one.waits]
    if not refused:
        return Postponed(limits.scan_wait_s, f"{held[0].filename}: {held[0].reason}")
    told = "; ".join(f"{one.filename}: {one.reason}" for one in refused)
    log.warning("delivery_held_back", delivery_id=delivery_id, files=len(refused))
    return Done(partial(commands.end_unsent, delivery_id, f"not sent: {told}"))


def _call(sender: Sender, opened: OpenAttempt) -> SendOutcome:
    """Hand the message to the adapter, the only network of this task.

    An adapter reads its configuration and imports its libraries before it sends, so after a ConfigurationError or a
    failed import nothing was sent. Any other exception is a bug of the adapter, which may have sent before: the outcome
    is unknown.
    """
    try:
        return sender.send(opened.message, opened.account, settings.current())
    except ConfigurationError as error:
        return misconfigured(error)
    except Exception as error:
        log.error(
            "sender_raised",
            exc_info=error,
            delivery_id=opened.message.delivery_id,
            channel=opened.account.channel,
        )
        if imports.failed(error):
            return SendOutcome("transient", f"the adapter could not be loaded: {type(error).__name__}")
        return SendOutcome("unknown", f"the adapter failed: {type(error).__name__}")


def _bounded(outcome: SendOutcome, opened: OpenAttempt) -> SendOutcome:
    """Fail a delivery whose address moves to itself, or too often: a provider's mistake must not
    cause endless sends.
    """
    moved_to = outcome.new_address
    if moved_to is not None and (moved_to == opened.message.address or opened.number > _moves_max):
        return SendOutcome("permanent", "the provider says that the address moved, again and again")
    return outcome


def _settlement(delivery_id: UUID, opened: OpenAttempt, outcome: SendOutcome, duration_ms: int) -> Settlement:
    record = partial(attempts.record_outcome, delivery_id, opened, outcome, duration_ms=duration_ms)
    if outcome.kind == "accepted":
        return Done(record, late=record)
    if outcome.new_address is not None:
        return Postponed(0.0, "the address moved", record, late=record)
    if outcome.kind == "permanent" or outcome.partly_sent:
        return Done(record, late=record)  # the delivery is what failed, and people see it; the task did its work
    if outcome.kind == "throttled":
        wait_s, reason = outcome.retry_after_s or 1.0, outcome.detail or "throttled by the provider"
        return Postponed(wait_s, reason, record, late=record)
    told = f"{outcome.kind}: {outcome.detail}"
    return Failed(told, retry_after_s=outcome.retry_after_s, record=record, late=record)


def on_dead(task: ClaimedTask, payload: SendDelivery, reason: str) -> None:
    """Mark the delivery as failed, after a day of attempts."""
    attempts.give_up(payload.delivery_id, reason[: limits.error_chars_max])


ACTOR = Actor(run, on_dead)
