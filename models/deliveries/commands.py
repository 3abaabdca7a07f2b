"""Claim, record and decide about attempts. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.attachments import commands as attachments
from models.channels import accounts, health
from models.channels.accounts import ChannelAccount
from models.conversations import chats, messages, threading
from models.deliveries import outgoing
from models.deliveries.port import OutgoingMessage, SendOutcome
from models.events.commands import SYSTEM
from models.kernel import clock, database, limits
from models.kernel.batch import Batch, as_json
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.requesters import commands as requesters
from models.tasks import commands as tasks
from models.tasks import rates
from models.tickets.change import TicketChange


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that is recorded as `sending`: now the provider may be called."""

    attempt_id: UUID
    number: int
    account: ChannelAccount
    message: OutgoingMessage
    possibly_duplicate: bool
    # What it took a slot of, and what a provider's word to wait holds up.
    buckets: tuple[rates.Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class NotNow:
    """No attempt was opened. `wait_s` > 0: a rate limit; 0: nothing is left to do."""

    wait_s: float
    reason: str


def open_attempt(
    delivery_id: UUID,
    *,
    task_id: int,
    buckets: Sequence[rates.Bucket],
    retries_after_unknown: int,
    buttons: bool = False,
) -> OpenAttempt | NotNow:
    """Record that the provider is about to be called.

    An attempt still open is one whose worker died between the call and the record: its outcome is unknown, and the
    channel's rule (`retries_after_unknown`) decides whether there is another. `buttons`: the channel can show them.
    """
    # Held before the message is read: a correction that commits in between is what must be sent.
    held = database.one("SELECT state FROM deliveries WHERE id = :id FOR_UPDATE", id=delivery_id)
    if held is None or held["state"] not in ("pending", "sending"):
        return NotNow(0, f"the delivery is {held['state'] if held else 'gone'}")
    row = database.one(
        "SELECT d.*, m.body, m.body_format, m.subject, m.external_id AS message_external_id, m.copies, m.details, m.author_name,"
        " m.deleted_at, t.number, t.reply_token, t.requester_id, r.name AS requester_name, r.locale, i.suppressed_reason"
        " FROM deliveries AS d JOIN messages AS m ON m.id = d.message_id JOIN tickets AS t ON t.id = d.ticket_id"
        " LEFT JOIN requesters AS r ON r.id = t.requester_id"
        " LEFT JOIN identities AS i ON i.channel = d.channel AND i.address = d.address WHERE d.id = :id",
        id=delivery_id,
    )
    assert row is not None, "a delivery's message and ticket are never deleted"
    account = accounts.find(row["channel"], row["account"])
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
    lost = database.one(
        "SELECT id FROM delivery_attempts WHERE delivery_id = :id AND state = 'sending'", id=delivery_id
    )
    if lost is not None:
        _close_attempt(
            UUID(str(lost["id"])),
            "unknown",
            detail="the worker died between the call and the record",
            duration_ms=None,
        )
    unknown = database.run(
        "SELECT count(*) AS n FROM delivery_attempts WHERE delivery_id = :id AND outcome = 'unknown'",
        id=delivery_id,
    )[0]["n"]
    if unknown > retries_after_unknown:
        end(delivery_id, "unknown", error="it is not known whether the message arrived; not repeated again")
        return NotNow(0, "unknown outcome")
    wait_s = rates.take_or_line_up(buckets)
    if wait_s > 0:
        return NotNow(wait_s, "rate limit")
    number = int(row["attempts"]) + 1
    attempt_id = new_id()
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
            "task_id": task_id,
        },
    )
    batch.write()
    database.execute(
        "UPDATE deliveries SET state = 'sending', attempts = :number WHERE id = :id",
        number=number,
        id=delivery_id,
    )
    in_reply_to, references = threading.outgoing_references(UUID(str(row["ticket_id"])), account)
    message = outgoing.build(row, number, in_reply_to, references, account, buttons=buttons)
    return OpenAttempt(attempt_id, number, account, message, unknown > 0, tuple(buckets))


def record_outcome(
    delivery_id: UUID, attempt: OpenAttempt, outcome: SendOutcome, *, duration_ms: int
) -> None:
    """Close the attempt and draw the conclusions for the delivery; what becomes of the task is the caller's."""
    _close_attempt(
        attempt.attempt_id,
        outcome.kind,
        detail=outcome.detail,
        duration_ms=duration_ms,
        external_id=outcome.external_id,
    )
    account = attempt.account
    health.report_outcome(account.channel, account.name, outcome)
    if outcome.kind == "accepted":
        _sent(delivery_id, account, outcome)
    elif outcome.partly_sent:
        # A repeat would double the parts that arrived; a person sees what is missing and decides. They can be taken back.
        _remember_ids(delivery_id, account, outcome)
        end(delivery_id, "unknown", error=outcome.detail)
    elif outcome.kind == "permanent" and outcome.new_address is None:
        end(delivery_id, "failed", error=outcome.detail)
        if outcome.suppress:
            requesters.suppress(account.channel, attempt.message.address, outcome.suppress)
    else:
        database.execute(
            "UPDATE deliveries SET state = 'pending', last_error = :error WHERE id = :id",
            error=_short(outcome.detail),
            id=delivery_id,
        )
    if outcome.new_address is not None:
        chats.move(account, attempt.message.address, outcome.new_address)
    if len(outcome.external_ids) > 1:
        rates.charge(attempt.buckets, len(outcome.external_ids) - 1)
    if outcome.kind == "throttled":
        # Not a used-up attempt: the provider only asked us to wait.
        wait_s = min(outcome.retry_after_s or 1.0, limits.provider_wait_s_max)
        whole = f"{account.channel}:{account.name}"
        # The topics of one group share its limit: the sender's own bucket, not the address, says what has to wait.
        names = {f"{whole}:{attempt.message.address}", *(bucket.name for bucket in attempt.buckets)} - {whole}
        for bucket in sorted(names | ({whole} if outcome.pause_account else set())):
            rates.block(bucket, for_s=wait_s)


def _sent(delivery_id: UUID, account: ChannelAccount, outcome: SendOutcome) -> None:
    """The provider has it: its ids, all of them, find the ticket again when somebody answers or a receipt comes."""
    database.execute(
        "UPDATE deliveries SET state = 'sent', last_error = NULL, finished_at = :now WHERE id = :id",
        now=clock.now(),
        id=delivery_id,
    )
    _remember_ids(delivery_id, account, outcome)


def _remember_ids(delivery_id: UUID, account: ChannelAccount, outcome: SendOutcome) -> None:
    """The provider's ids of all parts that arrived: by them an answer, an edit or a receipt finds the message."""
    ids = [one for one in (outcome.external_id, *outcome.external_ids) if one is not None]
    row = database.run(
        "UPDATE deliveries SET external_id = :external_id, external_ids = :external_ids, provider_id = :provider_id"
        " WHERE id = :id RETURNING message_id, ticket_id, operation",
        external_id=outcome.external_id,
        external_ids=as_json(list(dict.fromkeys(ids))),
        provider_id=outcome.provider_id,
        id=delivery_id,
    )[0]
    attachments.remember_names(UUID(str(row["message_id"])), account, outcome.file_ids)
    if not ids or row["operation"] == "delete":
        return
    database.execute(
        "UPDATE messages SET external_id = :external_id WHERE id = :id AND external_id IS NULL",
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


def _close_attempt(
    attempt_id: UUID, outcome: str, *, detail: str, duration_ms: int | None, external_id: str | None = None
) -> None:
    database.execute(
        "UPDATE delivery_attempts SET state = 'closed', outcome = :outcome, detail = :detail, finished_at = :now,"
        " duration_ms = :duration_ms, external_id = :external_id WHERE id = :id",
        outcome=outcome,
        detail=_short(detail),
        now=clock.now(),
        duration_ms=duration_ms,
        external_id=external_id,
        id=attempt_id,
    )


def end(delivery_id: UUID, state: str, *, error: str) -> None:
    """The delivery is over without success: visible in the ticket's history and in the list of troubled deliveries."""
    row = database.run(
        "UPDATE deliveries SET state = :state, last_error = :error, finished_at = :now WHERE id = :id RETURNING ticket_id, message_id",
        state=state,
        error=_short(error),
        now=clock.now(),
        id=delivery_id,
    )[0]
    change = TicketChange.of(
        UUID(str(row["ticket_id"])), actor=SYSTEM, causation_id=f"delivery:{delivery_id}"
    )
    change.record(
        "delivery_failed",
        {"delivery_id": delivery_id, "message_id": row["message_id"], "state": state, "error": _short(error)},
    )
    change.enqueue(
        "advance_ticket",
        {"ticket_id": change.ticket.id, "event": "delivery_failed"},
        key=f"ticket:{change.ticket.id}",
    )
    change.save()


def give_up(delivery_id: UUID, reason: str) -> None:
    """The task's patience is over: the delivery has failed; or its outcome is unknown, where an attempt may have arrived."""
    row = database.one("SELECT state FROM deliveries WHERE id = :id FOR_UPDATE", id=delivery_id)
    if row is not None and row["state"] in ("pending", "sending", "scheduled"):
        open_ends = database.one(
            "SELECT count(*) AS n FROM delivery_attempts WHERE delivery_id = :id AND outcome = 'unknown'",
            id=delivery_id,
        )
        assert open_ends is not None
        # Who reads "failed" sends it again without a thought.
        end(delivery_id, "unknown" if open_ends["n"] else "failed", error=reason)


def release(delivery_id: UUID) -> None:
    """A scheduled message's time has come: it is sent, and the ticket is answered now."""
    row = database.one(
        "UPDATE deliveries SET state = 'pending' WHERE id = :id AND state = 'scheduled'"
        " RETURNING channel, account, address, ticket_id, message_id",
        id=delivery_id,
    )
    if row is None:
        return
    _enqueue_send(delivery_id, row, dedupe_key=f"send:{delivery_id}")
    change = TicketChange.of(
        UUID(str(row["ticket_id"])), actor=SYSTEM, causation_id=f"delivery:{delivery_id}"
    )
    if change.ticket.first_response_at is None:
        change.ticket.first_response_at = change.at
    change.enqueue(
        "advance_ticket",
        {"ticket_id": change.ticket.id, "event": "agent_reply", "message_id": row["message_id"]},
        key=f"ticket:{change.ticket.id}",
    )
    change.save()


def retry(delivery_id: UUID) -> None:
    """A person's word: send a failed, unknown or discarded delivery again. Raises NotFound, Conflict."""
    row = database.one(
        "UPDATE deliveries SET state = 'pending', finished_at = NULL WHERE id = :id AND state IN ('failed', 'unknown', 'discarded')"
        " RETURNING channel, account, address",
        id=delivery_id,
    )
    if row is None:
        raise _refused(delivery_id, "retried", "failed, unknown or discarded")
    waiting = database.one(
        "SELECT id FROM tasks WHERE dedupe_key = :key AND state IN ('ready', 'leased')",
        key=f"release:{delivery_id}",
    )
    if waiting is not None:
        # It was discarded before its time; taking that back means its time, not now.
        database.execute("UPDATE deliveries SET state = 'scheduled' WHERE id = :id", id=delivery_id)
        return
    # What was unknown before the person's decision must not count against the new try.
    database.execute(
        "UPDATE delivery_attempts SET outcome = 'unknown_accepted_by_person' WHERE delivery_id = :id AND outcome = 'unknown'",
        id=delivery_id,
    )
    requesters.unsuppress(row["channel"], row["address"])
    _enqueue_send(delivery_id, row, dedupe_key=None)


def discard(delivery_id: UUID) -> None:
    """A person's word: this needs no further attention (or is not to be sent any more). Raises NotFound, Conflict."""
    row = database.one(
        "UPDATE deliveries SET state = 'discarded', finished_at = :now WHERE id = :id"
        " AND state IN ('scheduled', 'pending', 'failed', 'unknown') RETURNING id",
        id=delivery_id,
        now=clock.now(),
    )
    if row is None:
        raise _refused(delivery_id, "discarded", "scheduled, pending, failed or unknown")


def _enqueue_send(delivery_id: UUID, row: database.Row, *, dedupe_key: str | None) -> None:
    tasks.enqueue(
        "send_delivery",
        {"delivery_id": delivery_id},
        key=messages.send_key(row["channel"], row["account"], row["address"]),
        dedupe_key=dedupe_key,
    )


def _refused(delivery_id: UUID, wish: str, allowed: str) -> Conflict | NotFound:
    row = database.one("SELECT state FROM deliveries WHERE id = :id", id=delivery_id)
    if row is None:
        return NotFound(f"there is no delivery {delivery_id}")
    return Conflict(f"the delivery is {row['state']}; only a {allowed} one can be {wish}")


def _short(text: str) -> str:
    return text.replace("\x00", "�")[: limits.error_chars_max]
