"""Open attempts at a delivery, and record how they ended. Commands join the caller's transaction.

An attempt is recorded as `sending` before the call. If it still is at the next run, its run died or lost its lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.attachments import commands as attachments
from models.channels import accounts, health
from models.channels.accounts import ChannelAccount
from models.conversations import chats, threading
from models.deliveries import attempt_statements, outgoing
from models.deliveries.commands import end, short
from models.deliveries.tables import Delivery
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.storage.batch import Batch, as_json
from models.kernel.storage.prepared import Prepared
from models.kernel.text import ERASED
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.requesters import commands as requesters
from models.tasks import rates, task_leases
from models.tasks.commands import ClaimedTask


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that is recorded as `sending`, so the provider may be called."""

    attempt_id: UUID
    number: int
    account: ChannelAccount
    message: OutgoingMessage
    possibly_duplicate: bool
    # The rate limits of which the attempt took a slot; a throttled outcome blocks them.
    buckets: tuple[rates.Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class NotNow:
    """The reason why no attempt was opened. `wait_s` > 0: a rate limit; 0: nothing is left to do."""

    wait_s: float
    reason: str


def open_attempt(
    delivery_id: UUID,
    *,
    attempt_id: UUID,
    task: ClaimedTask,
    buckets: Sequence[rates.Bucket],
    retries_after_unknown: int,
    buttons: bool = False,
) -> OpenAttempt | NotNow:
    """Record the attempt `attempt_id` before the provider is called.

    An earlier open attempt belongs to a worker that died in its call; `retries_after_unknown` decides on a repeat.
    `buttons`: the channel can show them. Raises LeaseLost when another worker has the task.
    """
    # The lock comes before the message is read, so that a correction that commits in between is sent.
    held = database.one(attempt_statements.HELD, id=delivery_id)
    if held is None:
        return NotNow(0, "the delivery is gone")
    if held["state"] == "sending":
        task_leases.confirm(task)
    is_first = held["attempts"] == 0
    if not is_first:
        _close_lost(delivery_id)
    if held["state"] not in ("pending", "sending"):
        return NotNow(0, f"the delivery is {held['state']}")
    row = database.one(
        attempt_statements.WHOLE,
        id=delivery_id,
    )
    assert row is not None, "a delivery's message and ticket are never deleted"
    account = accounts.find(row["channel"], row["account"])
    unknown = 0 if is_first else _count_unknown(delivery_id)
    ended = _end_before_call(row, account, unknown, retries_after_unknown)
    if ended is not None:
        return ended
    wanted = [*buckets]
    if unknown and retries_after_unknown <= _REPEATS_OF_WHAT_DOUBLES:
        wanted.append(rates.Bucket(f"repeats:{account.channel}:{account.name}", limits.repeat_every_s))
    wait_s = rates.take_or_line_up(wanted)
    if wait_s > 0:
        if held["state"] == "sending":
            database.execute("UPDATE deliveries SET state = 'pending' WHERE id = :id", id=delivery_id)
        return NotNow(wait_s, "rate limit")
    number = int(row["attempts"]) + 1
    batch = Batch()
    batch.insert(
        "delivery_attempts",
        {
            "id": attempt_id,
            "delivery_id": delivery_id,
            "number": number,
            "state": "sending",
            "started_at": clock.now(),
            "possibly_duplicate": unknown > 0,
            "task_id": task.id,
        },
    )
    batch.write()
    database.execute(attempt_statements.SENDING, number=number, id=delivery_id)
    in_reply_to, references = threading.outgoing_references(Delivery.converted(row)["ticket_id"], account)
    message = outgoing.build(row, number, in_reply_to, references, account, buttons=buttons)
    return OpenAttempt(attempt_id, number, account, message, unknown > 0, tuple(buckets))


def _end_before_call(
    row: database.Row, account: ChannelAccount, unknown: int, retries_after_unknown: int
) -> NotNow | None:
    """End a delivery that must not be sent: a suppressed address, a message taken back, too many unknown attempts."""
    delivery_id = Delivery.converted(row)["id"]
    refusal = row["suppressed_reason"] or chats.unreachable_reason(account, row["address"])
    if refusal:
        end(delivery_id, "failed", error=f"not sent: {refusal}")
        return NotNow(0, "the address is suppressed")
    if row["operation"] == "send" and row["deleted_at"] is not None:
        database.execute(
            "UPDATE deliveries SET state = 'discarded', finished_at = :now WHERE id = :id",
            now=clock.now(),
            id=delivery_id,
        )
        return NotNow(0, "the message was taken back before it was sent")
    if unknown > retries_after_unknown:
        end(delivery_id, "unknown", error="it is not known whether the message arrived; not repeated again")
        return NotNow(0, "unknown outcome")
    return None


# A channel whose provider honours an idempotency key allows more repeats, and a repeat does no harm there.
_REPEATS_OF_WHAT_DOUBLES = 1


def is_wanted_still(delivery_id: UUID, attempt: OpenAttempt) -> bool:
    """Return True if a repeat that has been opened must still be sent; if not, it is closed as not called.

    The earlier run may still be alive, and may have recorded meanwhile that the provider accepted the message.
    """
    held = database.one("SELECT state, attempts FROM deliveries WHERE id = :id FOR_UPDATE", id=delivery_id)
    if held is not None and _is_current(held, attempt):
        return True
    close_uncalled(delivery_id, attempt.attempt_id, "not called: an earlier attempt's outcome was told late")
    return False


def close_uncalled(delivery_id: UUID, attempt_id: UUID, detail: str) -> None:
    """Close an attempt whose provider was certainly not called, if it was opened at all (the commit's answer may be
    lost).
    """
    closed = database.execute(
        "UPDATE delivery_attempts SET state = 'closed', outcome = 'transient', detail = :detail, finished_at = :now"
        " WHERE id = :id AND (state = 'sending' OR outcome = 'unknown')",
        detail=detail,
        now=clock.now(),
        id=attempt_id,
    ).rowcount
    if closed:
        database.execute(
            "UPDATE deliveries SET state = 'pending' WHERE id = :id AND state = 'sending' AND NOT EXISTS (SELECT 1"
            " FROM delivery_attempts AS a WHERE a.delivery_id = deliveries.id AND a.state = 'sending')",
            id=delivery_id,
        )


def record_outcome(delivery_id: UUID, attempt: OpenAttempt, outcome: SendOutcome, *, duration_ms: int) -> None:
    """Close the attempt, and change the delivery accordingly. The caller settles the task.

    May come late, after another run has closed the attempt as unknown and perhaps opened its own: then the attempt gets
    its true outcome, and only an acceptance changes the delivery. May come twice, when the answer to a commit was lost:
    the second time changes nothing.
    """
    held = database.one(attempt_statements.HELD, id=delivery_id)
    assert held is not None, "deliveries are never deleted"
    # The reader's data was erased during the call: the provider's words and ids are not stored.
    erased = held["address"] == ERASED
    detail, external_id = ("", None) if erased else (outcome.detail, outcome.external_id)
    closed = _close_attempt(
        attempt.attempt_id, outcome.kind, detail=detail, duration_ms=duration_ms, external_id=external_id
    )
    if not closed or erased:
        return
    account = attempt.account
    health.report_outcome(account.channel, account.name, outcome)
    _conclude(delivery_id, attempt, outcome, current=_is_current(held, attempt))
    if outcome.new_address is not None:
        chats.move(account, attempt.message.address, outcome.new_address)
    if len(outcome.external_ids) > 1:
        rates.charge(attempt.buckets, len(outcome.external_ids) - 1)
    if outcome.kind == "throttled":
        _block_buckets(attempt, outcome)


def _conclude(delivery_id: UUID, attempt: OpenAttempt, outcome: SendOutcome, *, current: bool) -> None:
    """Change the delivery by the outcome of its attempt. `current`: the delivery waits for this attempt."""
    account = attempt.account
    if outcome.kind == "accepted":
        _sent(delivery_id, account, outcome)
    elif not current:
        _remember_late(delivery_id, account, outcome)
    elif outcome.partly_sent:
        # A repeat would double the parts that arrived; a person sees the missing ones and decides.
        _remember_ids(delivery_id, account, outcome)
        end(delivery_id, "unknown", error=outcome.detail)
    elif outcome.kind == "permanent" and outcome.new_address is None:
        end(delivery_id, "failed", error=outcome.detail)
        if outcome.suppress:
            requesters.suppress(account.channel, attempt.message.address, outcome.suppress)
    else:
        database.execute(
            "UPDATE deliveries SET state = 'pending', last_error = :error WHERE id = :id",
            error=short(outcome.detail),
            id=delivery_id,
        )


def _block_buckets(attempt: OpenAttempt, outcome: SendOutcome) -> None:
    """Block the rate limits of a throttled attempt. The attempt is not used up: the provider only asked us to wait."""
    wait_s = min(outcome.retry_after_s or 1.0, limits.provider_wait_s_max)
    whole = f"{attempt.account.channel}:{attempt.account.name}"
    # The topics of one group share its limit: the sender's own bucket, not the address, says what has to wait.
    names = {f"{whole}:{attempt.message.address}", *(bucket.name for bucket in attempt.buckets)} - {whole}
    for bucket in sorted(names | ({whole} if outcome.pause_account else set())):
        rates.block(bucket, for_s=wait_s)


def _sent(delivery_id: UUID, account: ChannelAccount, outcome: SendOutcome) -> None:
    """Record that the provider accepted the message, with all its ids: an answer or a receipt finds the ticket by them.

    A receipt about a bounce stays valid when the acceptance is recorded after it.
    """
    _remember_ids(delivery_id, account, outcome, statement=attempt_statements.SENT_WITH_IDS, now=clock.now())


def _remember_ids(
    delivery_id: UUID,
    account: ChannelAccount,
    outcome: SendOutcome,
    *,
    statement: str = attempt_statements.IDS,
    **more: object,
) -> None:
    """Store the provider's ids of all parts that arrived: an answer, an edit or a receipt finds the message by them."""
    ids = [one for one in (outcome.external_id, *outcome.external_ids) if one is not None]
    row = database.run(
        statement,
        more,
        external_id=outcome.external_id,
        external_ids=as_json(list(dict.fromkeys(ids))),
        provider_id=outcome.provider_id,
        id=delivery_id,
    )[0]
    attachments.remember_names(Delivery.converted(row)["message_id"], account, outcome.file_ids)
    if not ids or row["operation"] == "delete":
        return
    database.execute(
        Prepared("UPDATE messages SET external_id = :external_id WHERE id = :id AND external_id IS NULL"),
        external_id=ids[0],
        id=row["message_id"],
    )
    batch = Batch()
    for external_id in dict.fromkeys(ids):
        values: dict[str, object] = {
            "channel": account.channel,
            "account": account.name,
            "external_id": external_id,
        }
        values |= {"ticket_id": row["ticket_id"], "message_id": row["message_id"], "created_at": clock.now()}
        batch.insert("message_references", values, unless_exists=True)
    batch.write()


def _remember_late(delivery_id: UUID, account: ChannelAccount, outcome: SendOutcome) -> None:
    """Store the ids of the parts that arrived, so that an answer to a part finds its ticket.

    The newest attempt decides the delivery.
    """
    if outcome.partly_sent:
        _remember_ids(delivery_id, account, outcome)


def _is_current(held: database.Row, attempt: OpenAttempt) -> bool:
    """Return True if the attempt is the one that the delivery waits for."""
    return held["state"] == "sending" and int(held["attempts"]) == attempt.number


def _close_lost(delivery_id: UUID) -> None:
    """Close an attempt that its run left open, with the outcome `unknown`."""
    database.execute(
        "UPDATE delivery_attempts SET state = 'closed', outcome = 'unknown', detail = :detail, finished_at = :now"
        " WHERE delivery_id = :id AND state = 'sending'",
        detail="the worker died between the call and the record",
        now=clock.now(),
        id=delivery_id,
    )


def _count_unknown(delivery_id: UUID) -> int:
    found = database.run(
        "SELECT count(*) AS n FROM delivery_attempts WHERE delivery_id = :id AND outcome = 'unknown'", id=delivery_id
    )
    return int(found[0]["n"])


def _close_attempt(
    attempt_id: UUID, outcome: str, *, detail: str, duration_ms: int | None, external_id: str | None = None
) -> bool:
    """Close an open attempt, or replace the outcome `unknown` of a closed one.

    Returns False when the outcome was known already.
    """
    closed = database.execute(
        Prepared(
            "UPDATE delivery_attempts SET state = 'closed', outcome = :outcome, detail = :detail, finished_at = :now,"
            " duration_ms = :duration_ms, external_id = :external_id"
            " WHERE id = :id AND (state = 'sending' OR outcome IN ('unknown', 'unknown_accepted_by_person'))"
        ),
        outcome=outcome,
        detail=short(detail),
        now=clock.now(),
        duration_ms=duration_ms,
        external_id=external_id,
        id=attempt_id,
    )
    return bool(closed.rowcount)


def give_up(delivery_id: UUID, reason: str) -> None:
    """End the delivery of a task that used up its attempts: `unknown` if one of them may have
    arrived, else `failed`.
    """
    row = database.one("SELECT state FROM deliveries WHERE id = :id FOR_UPDATE", id=delivery_id)
    if row is None:
        return
    _close_lost(delivery_id)
    if row["state"] in ("pending", "sending", "scheduled"):
        # A person who reads "failed" sends the message again without checking.
        end(delivery_id, "unknown" if _count_unknown(delivery_id) else "failed", error=reason)
