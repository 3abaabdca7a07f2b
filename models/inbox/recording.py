"""What a parsed event becomes: a message in a ticket, a receipt at a delivery, a change of a chat. Joins the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.deliveries import bounces
from models.inbox import commands as inbox
from models.inbox.port import Ignored, InboundMessage, Parsed
from models.kernel import clock, database
from models.kernel.errors import PermanentFailure
from models.kernel.ids import new_id
from models.requesters import commands as requesters
from models.requesters.commands import Requester
from models.tickets import commands as tickets


def record(event: inbox.RawEvent, account: ChannelAccount, parsed: Parsed) -> None:
    """Record what the parser found; running it twice for one event is harmless."""
    if isinstance(parsed, Ignored):
        inbox.record_ignored(event, parsed)
    elif isinstance(parsed, InboundMessage):
        record_message(event, account, parsed)
    else:
        raise PermanentFailure(f"nothing is known about events of the kind {type(parsed).__name__}")


_UNKNOWN_BOUNCE = "a bounce that answers no message of ours"


def record_message(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> None:
    """Make the event's message: it joins its ticket or opens one. Joins the caller's transaction.

    Running it twice for one event is harmless: the message is unique per event and the status is checked under the lock.
    """
    if not inbox.hold(event.id):
        return
    if parsed.automatic == "own":
        inbox.settle(event.id, "ignored", reason="a message of our own")
        return
    if parsed.failure is not None:
        # A mailer is no requester, and its report no message: what it says is in the delivery and in the ticket's history.
        failed_in = bounces.record(account, parsed.references, parsed.failure)
        if failed_in is None:
            inbox.settle(event.id, "ignored", reason=_UNKNOWN_BOUNCE)
        else:
            inbox.settle(event.id, "processed", ticket_id=failed_in)
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
        inbox.settle(event.id, "ignored", reason=_UNKNOWN_BOUNCE)
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
    inbox.settle(event.id, "processed", ticket_id=ticket.id, message_id=message_id)


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
