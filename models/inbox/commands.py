"""Commands of the inbox: store raw events, settle them, discard and replay them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import peewee

from models.channels.accounts import ChannelAccount
from models.inbox import erased_addresses
from models.inbox.tables import InboxEvent, InboxPerson
from models.kernel import clock, limits
from models.kernel.errors import Conflict, NotFound, TransientFailure, Unauthenticated
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.batch import Batch, as_json
from models.kernel.storage.prepared import Prepared
from models.kernel.telemetry import trace
from models.kernel.text import one_line
from models.ports import channel_facts
from models.ports.inbound import EventKey, Ignored
from models.tasks import commands as tasks
from models.tasks.payloads import IngestEvent


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored event; `repeat`: it was stored before."""

    event_id: UUID
    repeat: bool


def store(account: ChannelAccount, key: EventKey, *, raw: bytes, content_type: str) -> Stored:
    """Store a raw event and the task that reads it. A repeat changes nothing. Joins the caller's transaction."""
    inbox_id = new_id()
    row = {
        "id": inbox_id,
        "channel": account.channel,
        "account": account.name,
        "event_key": key.event_key,
        "content_type": one_line(content_type, limits.content_type_chars_max),
        "envelope": as_json(key.envelope),
        "raw": raw,
        "status": "failed" if key.unreadable else "stored",
        "reason": _reason(key.unreadable),
        "request_id": trace.current_request_id(),
        "received_at": clock.now(),
    }
    batch = Batch()
    batch.insert("inbox", row, returning="id", unless_exists=True)
    if batch.write()[0] is None:
        known = database.one(
            "SELECT id FROM inbox WHERE channel = :channel AND account = :account AND event_key = :key",
            channel=account.channel,
            account=account.name,
            key=key.event_key,
        )
        assert known is not None, "the event that was there a moment ago is kept"
        return Stored(InboxEvent.converted(known)["id"], repeat=True)
    if not key.unreadable:
        tasks.enqueue(IngestEvent(inbox_id=inbox_id), key=_order(account, key), dedupe_key=f"ingest:{inbox_id}")
    return Stored(inbox_id, repeat=False)


def remember(account: ChannelAccount, nonce: str, kept_s: float, *, raw: bytes) -> None:
    """Store a signature's nonce for one request and its exact repeats, until the signature is too old.

    Raises Unauthenticated when the nonce came with other bytes before (Mailgun's signature does not cover the body).
    Joins the caller's transaction.
    """
    names = {"channel": account.channel, "account": account.name, "nonce": nonce}
    digest = hashlib.sha256(raw).hexdigest()
    row = database.one(
        "INSERT INTO webhook_nonces (channel, account, nonce, sha256, expires_at)"
        " VALUES (:channel, :account, :nonce, :sha256, NOW_PLUS(:kept_s))"
        " ON CONFLICT (channel, account, nonce) DO UPDATE SET expires_at = webhook_nonces.expires_at RETURNING sha256",
        names,
        sha256=digest,
        kept_s=kept_s,
    )
    if row is None or row["sha256"] != digest:
        raise Unauthenticated("this signature was used for another event")


def _order(account: ChannelAccount, key: EventKey) -> str | None:
    return f"in:{account.channel}:{account.name}:{key.ordering_key}" if key.ordering_key else None


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A stored event as the ingest actor reads it.

    `people`: the addresses of those whose event it is, once it is parsed.
    """

    id: UUID
    channel: str
    account: str
    status: str
    envelope: dict[str, str]
    raw: bytes
    fetched: bytes | None = None
    released_by: str | None = None
    people: tuple[str, ...] = ()
    reason: str | None = None


def load(inbox_id: UUID) -> RawEvent:
    """Read a stored event with its bytes. Raises NotFound."""
    row = database.one(
        Prepared(
            "SELECT id, channel, account, status, envelope, raw, fetched, released_by, reason FROM inbox WHERE id = :id"
        ),
        id=inbox_id,
    )
    if row is None:
        raise NotFound(f"there is no inbox event {inbox_id}")
    event = InboxEvent.converted(row)
    return RawEvent(
        inbox_id,
        row["channel"],
        row["account"],
        row["status"],
        event["envelope"],
        bytes(event["raw"]),
        None if event["fetched"] is None else bytes(event["fetched"]),
        row["released_by"],
        reason=row["reason"],
    )


def keep_fetched(inbox_id: UUID, fetched: bytes) -> None:
    """Store the content that the event refers to; it is parsed instead of the event. Joins the caller's transaction."""
    database.execute("UPDATE inbox SET fetched = :fetched WHERE id = :id", fetched=fetched, id=inbox_id)


def record_ignored(event: RawEvent, ignored: Ignored) -> None:
    """Settle an event that needs nothing. Joins the caller's transaction."""
    if lock_unprocessed(event):
        settle(event, "ignored", reason=ignored.reason)


def record_failure(event: RawEvent, reason: str) -> None:
    """Settle an event that could not be read: it stays failed, with the reason, until a person decides.

    Joins the caller's transaction.
    """
    if lock_unprocessed(event):
        settle(event, "failed", reason=reason)


def lock_unprocessed(event: RawEvent) -> bool:
    """Lock the event's row; return True when the event is to be recorded.

    It is not when it is processed already, or when its people's data was erased after it arrived: then it is emptied.
    """
    row = database.one(
        Prepared(f"SELECT status, received_at, {_ERASED_SINCE} FROM inbox WHERE id = :id FOR_UPDATE"),
        id=event.id,
    )
    if row is None or row["status"] not in ("stored", "failed"):
        return False
    if row["erased_since"] and _is_of_the_erased(event, row):
        empty([event.id])
        return False
    return True


# Read together with the row, so that an event costs no further statement unless somebody was erased since it arrived.
_ERASED_SINCE = "EXISTS (SELECT 1 FROM erased_addresses AS e WHERE e.erased_at >= inbox.received_at) AS erased_since"


def _is_of_the_erased(event: RawEvent, row: database.Row) -> bool:
    return erased_addresses.erased_since(event.channel, event.people, InboxEvent.converted(row)["received_at"])


def empty(inbox_ids: Sequence[UUID]) -> None:
    """Remove the content of events whose people's data was erased. They can be neither read nor replayed.

    Joins the caller's transaction.
    """
    InboxPerson.delete().where(InboxPerson.inbox_id.in_(inbox_ids)).execute()
    changes: dict[Any, Any] = {
        InboxEvent.raw_bytes: b"",
        InboxEvent.fetched: None,
        InboxEvent.envelope: {},
        InboxEvent.author_address: None,
        InboxEvent.reason: ERASED_REASON,
        InboxEvent.status: peewee.Case(None, [(InboxEvent.status == "processed", "processed")], "ignored"),
        InboxEvent.processed_at: peewee.fn.COALESCE(InboxEvent.processed_at, clock.now()),
    }
    InboxEvent.update(changes).where(InboxEvent.id.in_(inbox_ids)).execute()


ERASED_REASON = "its sender's data was erased"


def settle(
    event: RawEvent,
    status: str,
    *,
    reason: str | None = None,
    ticket_id: UUID | None = None,
    message_id: UUID | None = None,
) -> None:
    """Store the result of an event whose row the caller has locked, and the people whose event it is.

    Joins the caller's transaction. Raises TransientFailure when its person's data was erased meanwhile: the next
    attempt empties the event. A report about several people is emptied when one of them was erased.
    """
    comparable = [channel_facts.of(event.channel).comparable(address) for address in event.people]
    # No identity has a longer address, and the index would refuse it.
    people = [address for address in comparable if len(address) <= limits.port_id_chars_max]
    row = database.one(
        Prepared(
            "UPDATE inbox SET status = :status, reason = :reason, ticket_id = :ticket, message_id = :message,"
            " processed_at = :now, author_address = COALESCE(:author, author_address)"
            f" WHERE id = :id RETURNING received_at, {_ERASED_SINCE}"
        ),
        author=people[0] if people else None,
        status=status,
        reason=_reason(reason),
        ticket=ticket_id,
        message=message_id,
        now=clock.now(),
        id=event.id,
    )
    _add_further(event.id, event.channel, people[1:])
    if row is not None and row["erased_since"]:
        _leave_out_the_erased(event, InboxEvent.converted(row)["received_at"])


def index(inbox_id: UUID, channel: str, people: Sequence[str]) -> None:
    """Store whose event it is, for an event that was settled without it or waits. Joins the caller's transaction."""
    known = [channel_facts.of(channel).comparable(address) for address in people]
    InboxEvent.update({InboxEvent.author_address: known[0] if known else NOBODY}).where(
        InboxEvent.id == inbox_id, InboxEvent.author_address.is_null()
    ).execute()
    _add_further(inbox_id, channel, known[1:])


NOBODY = ""  # the author's address of an event that names nobody, so that it is not read again


def _add_further(inbox_id: UUID, channel: str, people: Sequence[str]) -> None:
    for address in dict.fromkeys(people):
        database.execute(
            "INSERT INTO inbox_people (inbox_id, channel, address) VALUES (:id, :channel, :address)"
            " ON CONFLICT (inbox_id, address) DO NOTHING",
            id=inbox_id,
            channel=channel,
            address=address,
        )


def _leave_out_the_erased(event: RawEvent, received_at: datetime) -> None:
    erased = [one for one in event.people if erased_addresses.erased_since(event.channel, [one], received_at)]
    if erased and len(erased) == len(event.people):
        raise TransientFailure(ERASED_REASON)
    if erased:
        empty([event.id])


def _reason(reason: str | None) -> str | None:
    return None if reason is None else one_line(reason, limits.inbox_reason_chars_max)


def discard(inbox_id: UUID, *, by: str) -> None:
    """Settle a failed event as ignored, at a person's request. It can still be replayed. Raises NotFound, Conflict."""
    load(inbox_id)
    put_away = database.execute(
        Prepared(
            "UPDATE inbox SET status = 'ignored', reason = :reason, processed_at = :now WHERE id = :id AND status ="
            " 'failed'"
        ),
        id=inbox_id,
        reason=_reason(f"put away by {by}"),
        now=clock.now(),
    )
    if put_away.rowcount == 0:
        raise Conflict("only a failed event can be discarded")


def replay(inbox_id: UUID, *, by: str = "an operator") -> None:
    """Read a failed or ignored event again, for example after a fix of the parser. A quarantined event is let in.

    Raises NotFound, and Conflict for a processed event.
    """
    if load(inbox_id).reason == ERASED_REASON:
        raise Conflict("its sender's data was erased; nothing is left to be read")
    held = database.execute(
        Prepared(
            "UPDATE inbox SET status = 'stored', reason = NULL, processed_at = NULL, released_by = :by"
            " WHERE id = :id AND status <> 'processed'"
        ),
        id=inbox_id,
        by=by,
    )
    if held.rowcount == 0:
        raise Conflict("the event has made its message already; a second one would be a double")
    first = database.one("SELECT key FROM tasks WHERE dedupe_key = :key", key=f"ingest:{inbox_id}")
    tasks.enqueue(IngestEvent(inbox_id=inbox_id), key=first["key"] if first else None)
