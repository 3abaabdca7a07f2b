"""Store raw events, and read them into tickets."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.deliveries import bounces
from models.inbox.port import EventKey, Ignored, InboundMessage
from models.kernel import clock, database, limits, trace
from models.kernel.batch import Batch, as_json, from_json
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.requesters import commands as requesters
from models.requesters.commands import Requester
from models.tasks import commands as tasks
from models.tickets import commands as tickets


@dataclass(frozen=True, slots=True)
class Stored:
    """Where an event is kept; `repeat` when it was there already."""

    event_id: UUID
    repeat: bool


def store(account: ChannelAccount, key: EventKey, *, raw: bytes, content_type: str) -> Stored:
    """Keep a raw event and the task that reads it; a repeat changes nothing. Joins the caller's transaction."""
    inbox_id = new_id()
    row = {
        "id": inbox_id,
        "channel": account.channel,
        "account": account.name,
        "event_key": key.event_key,
        "content_type": content_type[:200],
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
        return Stored(UUID(str(known["id"])), repeat=True)
    if not key.unreadable:
        tasks.enqueue(
            "ingest_event", {"inbox_id": inbox_id}, key=_order(account, key), dedupe_key=f"ingest:{inbox_id}"
        )
    return Stored(inbox_id, repeat=False)


def _order(account: ChannelAccount, key: EventKey) -> str | None:
    return f"in:{account.channel}:{account.name}:{key.ordering_key}" if key.ordering_key else None


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A stored event as the ingest actor reads it."""

    id: UUID
    channel: str
    account: str
    status: str
    envelope: dict[str, str]
    raw: bytes


def load(inbox_id: UUID) -> RawEvent:
    """A stored event with its bytes. Raises NotFound."""
    row = database.one(
        "SELECT id, channel, account, status, envelope, raw FROM inbox WHERE id = :id", id=inbox_id
    )
    if row is None:
        raise NotFound(f"there is no inbox event {inbox_id}")
    return RawEvent(
        inbox_id, row["channel"], row["account"], row["status"], from_json(row["envelope"]), bytes(row["raw"])
    )


_UNKNOWN_BOUNCE = "a bounce that answers no message of ours"


def record_message(event: RawEvent, account: ChannelAccount, parsed: InboundMessage) -> None:
    """Make the event's message: it joins its ticket or opens one. Joins the caller's transaction.

    Running it twice for one event is harmless: the message is unique per event and the status is checked under the lock.
    """
    if not _hold(event.id):
        return
    if parsed.automatic == "own":
        _settle(event.id, "ignored", reason="a message of our own")
        return
    if parsed.failure is not None:
        # A mailer is no requester, and its report no message: what it says is in the delivery and in the ticket's history.
        failed_in = bounces.record(account, parsed.references, parsed.failure)
        if failed_in is None:
            _settle(event.id, "ignored", reason=_UNKNOWN_BOUNCE)
        else:
            _settle(event.id, "processed", ticket_id=failed_in)
        return
    requester = requesters.find_or_create(
        account.channel, parsed.author_address, name=parsed.author_name, locale=parsed.locale
    )
    requesters.unsuppress(account.channel, parsed.author_address)
    chat = parsed.conversation_address
    thread = _thread_of(account, parsed, requester)
    if thread.ticket_id is not None:
        ticket, message_id = tickets.join_from_channel(
            thread.ticket_id, parsed, account=account, requester=requester, inbox_id=event.id
        )
    elif parsed.automatic == "bounce":
        # A bounce of something we do not know must not open a ticket, or a bounce of its acknowledgement would open the next.
        _settle(event.id, "ignored", reason=_UNKNOWN_BOUNCE)
        return
    else:
        ticket, message_id = tickets.open_from_channel(
            parsed,
            account=account,
            requester=requester,
            inbox_id=event.id,
            related_id=thread.related_id,
            related_reason=thread.reason,
        )
        if chat is not None:
            database.execute(
                "UPDATE conversations SET ticket_id = :ticket, updated_at = :now WHERE channel = :channel AND account = :account"
                " AND address = :address",
                ticket=ticket.id,
                now=clock.now(),
                channel=account.channel,
                account=account.name,
                address=chat,
            )
    _settle(event.id, "processed", ticket_id=ticket.id, message_id=message_id)


def _thread_of(account: ChannelAccount, parsed: InboundMessage, requester: Requester) -> threading.Thread:
    """Where the message belongs; the ticket's row is held, so that it cannot be closed before the message is in it."""
    if parsed.edit and parsed.external_id is not None:
        edited = threading.ticket_of_message(account, parsed.external_id)
        if edited is not None:
            return threading.Thread(
                edited
            )  # an edit changes what was said where it was said, be it closed by now
    chat = parsed.conversation_address
    if chat is not None:
        return threading.Thread(_current_ticket_of_chat(account, chat))
    thread = threading.find(
        account,
        parsed.references,
        requester_id=requester.id,
        author_address=parsed.author_address,
        own_id=parsed.external_id,
    )
    if thread.ticket_id is not None and _is_closed(thread.ticket_id):
        return threading.Thread(None, thread.ticket_id, "the ticket it answers is closed")
    return thread


def _is_closed(ticket_id: UUID) -> bool:
    """Whether the ticket is closed (or gone); holds its row."""
    row = database.one("SELECT category FROM tickets WHERE id = :id FOR_UPDATE", id=ticket_id)
    return row is None or row["category"] == "closed"


def _current_ticket_of_chat(account: ChannelAccount, address: str) -> UUID | None:
    """The chat's ticket, unless it is closed; holds the chat's row, so that two messages at once cannot open two tickets."""
    names = {"channel": account.channel, "account": account.name, "address": address}
    database.execute(
        "INSERT INTO conversations (id, channel, account, address, updated_at) VALUES (:id, :channel, :account, :address, :now)"
        " ON CONFLICT (channel, account, address) DO NOTHING",
        names,
        id=new_id(),
        now=clock.now(),
    )
    row = database.one(
        "SELECT ticket_id FROM conversations WHERE channel = :channel AND account = :account AND address = :address FOR_UPDATE",
        names,
    )
    if row is None or row["ticket_id"] is None:
        return None
    ticket_id = UUID(str(row["ticket_id"]))
    return None if _is_closed(ticket_id) else ticket_id


def record_ignored(event: RawEvent, ignored: Ignored) -> None:
    """The event needs nothing; joins the caller's transaction."""
    if _hold(event.id):
        _settle(event.id, "ignored", reason=ignored.reason)


def record_failure(inbox_id: UUID, reason: str) -> None:
    """The event could not be read; it stays, with the reason, until a person decides. Joins the caller's transaction."""
    if _hold(inbox_id):
        _settle(inbox_id, "failed", reason=reason)


def _hold(inbox_id: UUID) -> bool:
    """Hold the event's row; whether it still wants processing."""
    row = database.one("SELECT status FROM inbox WHERE id = :id FOR_UPDATE", id=inbox_id)
    return row is not None and row["status"] in ("stored", "failed")


def _settle(
    inbox_id: UUID,
    status: str,
    *,
    reason: str | None = None,
    ticket_id: UUID | None = None,
    message_id: UUID | None = None,
) -> None:
    database.execute(
        "UPDATE inbox SET status = :status, reason = :reason, ticket_id = :ticket, message_id = :message, processed_at = :now"
        " WHERE id = :id",
        status=status,
        reason=_reason(reason),
        ticket=ticket_id,
        message=message_id,
        now=clock.now(),
        id=inbox_id,
    )


def _reason(reason: str | None) -> str | None:
    return None if reason is None else reason.replace("\x00", "�")[: limits.inbox_reason_chars_max]


def discard(inbox_id: UUID, *, by: str) -> None:
    """A person's word: a failed event needs no further attention; it stays, and can still be replayed. Raises NotFound, Conflict."""
    load(inbox_id)
    put_away = database.execute(
        "UPDATE inbox SET status = 'ignored', reason = :reason, processed_at = :now WHERE id = :id AND status = 'failed'",
        id=inbox_id,
        reason=_reason(f"put away by {by}"),
        now=clock.now(),
    )
    if put_away.rowcount == 0:
        raise Conflict("only a failed event can be discarded")


def replay(inbox_id: UUID) -> None:
    """Read a failed or ignored event again, as after a mended parser. Raises NotFound, Conflict for a processed one."""
    load(inbox_id)
    held = database.execute(
        "UPDATE inbox SET status = 'stored', reason = NULL, processed_at = NULL WHERE id = :id AND status <> 'processed'",
        id=inbox_id,
    )
    if held.rowcount == 0:
        raise Conflict("the event has made its message already; a second one would be a double")
    first = database.one("SELECT key FROM tasks WHERE dedupe_key = :key", key=f"ingest:{inbox_id}")
    tasks.enqueue("ingest_event", {"inbox_id": inbox_id}, key=first["key"] if first else None)
