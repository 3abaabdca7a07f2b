"""Chats: each has one current ticket.

The row of `conversations` is also the lock under which one writer at a time chooses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.conversations.tables import Conversation
from models.conversations.threading import Thread
from models.kernel import clock
from models.kernel.errors import Contention
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.tickets.tables import Ticket

_CHAT = "channel = :channel AND account = :account AND address = :address"


def _names(account: ChannelAccount, address: str) -> dict[str, str]:
    return {"channel": account.channel, "account": account.name, "address": address}


@dataclass(frozen=True, slots=True)
class Current:
    """The present state of a chat: its ticket, unless it is closed, and the end of the time for an answer to a
    question.
    """

    ticket_id: UUID | None
    asked_until: datetime | None


def current_ticket(account: ChannelAccount, address: str) -> UUID | None:
    """Return the chat's ticket, unless it is closed. Locks the chat's row."""
    return current(account, address).ticket_id


def current(account: ChannelAccount, address: str) -> Current:
    """Return the present state of a chat. Locks its row, so that two messages at once cannot open two tickets."""
    names = _names(account, address)
    database.execute(
        Prepared(
            "INSERT INTO conversations (id, channel, account, address, updated_at) VALUES (:id, :channel, :account,"
            " :address, :now)"
            " ON CONFLICT (channel, account, address) DO NOTHING"
        ),
        names,
        id=new_id(),
        now=clock.now(),
    )
    row = database.one(f"SELECT ticket_id, asked_until FROM conversations WHERE {_CHAT} FOR_UPDATE", names)
    assert row is not None, "the row was inserted if it did not exist"
    found = Conversation.converted(row)
    ticket_id: UUID | None = found["ticket_id"]
    return Current(None if ticket_id is None else open_ticket(ticket_id), found["asked_until"])


def ticket_of(channel: str, account: str, address: str) -> UUID | None:
    """Return the ticket that the chat belongs to, also a closed one; None before the first message."""
    row = database.one(
        f"SELECT ticket_id FROM conversations WHERE {_CHAT}",
        channel=channel,
        account=account,
        address=address,
    )
    found: UUID | None = None if row is None else Conversation.converted(row)["ticket_id"]
    return found


def set_asked(account: ChannelAccount, address: str, until: datetime) -> None:
    """Record that the chat's next text may answer a question, until an instant. Joins the caller's transaction."""
    database.execute(
        Prepared(
            "INSERT INTO conversations (id, channel, account, address, updated_at, asked_until) VALUES (:id, :channel,"
            " :account, :address, :now, :until)"
            " ON CONFLICT (channel, account, address) DO UPDATE SET asked_until = excluded.asked_until"
        ),
        _names(account, address),
        id=new_id(),
        now=clock.now(),
        until=until,
    )


def set_current(account: ChannelAccount, address: str, ticket_id: UUID | None) -> None:
    """Set the ticket that the chat's next message joins; None: it opens a new one. Joins the caller's transaction."""
    database.execute(
        f"UPDATE conversations SET ticket_id = :ticket, updated_at = :now WHERE {_CHAT}",
        _names(account, address),
        ticket=ticket_id,
        now=clock.now(),
    )


def answered_ticket(account: ChannelAccount, references: Sequence[str], requester_id: UUID) -> UUID | None:
    """Return the open ticket of the message that this one answers, if its author takes part there. Locks the ticket's
    row.

    An answer to an older question goes to that question's ticket, not to the newest.
    """
    clues = threading.Clues(references)
    find = partial(threading.find, account, clues, requester_id=requester_id, author_address="")
    return locked_thread(find).ticket_id


def open_ticket(ticket_id: UUID) -> UUID | None:
    """Return the ticket that a message joins, or None if it is closed or gone. Locks its row.

    A ticket that was merged meanwhile forwards to its target.
    """
    return _open_ticket(ticket_id)[0]


def _open_ticket(ticket_id: UUID) -> tuple[UUID | None, int | None]:
    """Return also the version of the ticket, which each move of its messages raises."""
    row = database.one(
        "SELECT category, merged_into, binned_as, version FROM tickets WHERE id = :id FOR_UPDATE", id=ticket_id
    )
    if row is None:
        return None, None
    merged_into: UUID | None = Ticket.converted(row)["merged_into"]
    if merged_into is not None:
        return open_ticket(merged_into), row["version"]
    # A message returns a deleted ticket from the bin. Spam and purged tickets take no messages.
    is_closed = row["category"] == "closed" or row["binned_as"] in ("spam", "purged")
    return None if is_closed else ticket_id, row["version"]


def locked_thread(find: Callable[[], Thread]) -> Thread:
    """Find the thread of a message and lock its ticket.

    Raises Contention when the messages that name the ticket moved to another one between the look-up and the lock.
    """
    thread = find()
    if thread.ticket_id is None:
        return thread
    joined, version = _open_ticket(thread.ticket_id)
    if version != thread.version and find().ticket_id not in (None, thread.ticket_id, joined):
        raise Contention()
    if joined == thread.ticket_id:
        return thread
    # It was closed or merged between the look-up and the lock.
    reason = "the ticket it answers is closed" if joined is None else ""
    return Thread(joined, None if joined else thread.ticket_id, reason)


def move(account: ChannelAccount, old: str, new: str) -> None:
    """Replace a chat's address everywhere (a Telegram group became a supergroup).

    Two events may report one migration, in either order, and a send may report it first: a second run changes nothing.
    Topics and persons of the chat (`<chat>/<topic>`, `<chat>#<person>`) move with it. Joins the caller's transaction.
    """
    values = {
        "channel": account.channel,
        "account": account.name,
        "old": old,
        "new": new,
        "skip": len(old) + 1,
        "topic": f"{old}/%",
        "person": f"{old}#%",
    }
    for table, column, scope in _MOVING:
        where = scope + " AND " + _OLD.format(column=column)
        changes = column + " = " + _NEW.format(column=column)
        database.execute(f"UPDATE {table} SET {changes} WHERE {where}", values)


_OLD = "({column} = :old OR {column} LIKE :topic OR {column} LIKE :person)"
_NEW = "(:new || substr({column}, :skip))"
_MOVING = (
    (
        "deliveries",
        "address",
        "channel = :channel AND account = :account AND state IN ('scheduled', 'pending', 'sending')",
    ),
    ("tickets", "contact_address", "contact_channel = :channel AND contact_account = :account"),
    (
        "conversations",
        "address",
        "channel = :channel AND account = :account AND NOT EXISTS (SELECT 1 FROM conversations AS c WHERE"
        " c.channel = :channel"
        " AND c.account = :account AND c.address = (:new || substr(conversations.address, :skip)))",
    ),
)


def mark_unreachable(account: ChannelAccount, address: str, reason: str | None) -> bool:
    """Store the reason why nothing can be sent to a chat (the bot was blocked or removed); None: it can be reached
    again.

    Returns whether this is a change. Joins the caller's transaction.
    """
    names = _names(account, address)
    if reason is None:
        return bool(database.execute(Prepared(f"DELETE FROM unreachable_chats WHERE {_CHAT}"), names).rowcount)
    row = database.one(
        "INSERT INTO unreachable_chats (channel, account, address, reason, since) VALUES (:channel, :account,"
        " :address, :reason, :now)"
        " ON CONFLICT (channel, account, address) DO NOTHING RETURNING reason",
        names,
        reason=reason[:500],
        now=clock.now(),
    )
    return row is not None


def unreachable_reason(account: ChannelAccount, address: str) -> str | None:
    """Return the reason why nothing can be sent to the chat (for a topic: to its group), or None."""
    names = _names(account, address)
    names["chat"] = address.partition("/")[0].partition("#")[0]
    row = database.one(
        Prepared(
            "SELECT reason FROM unreachable_chats WHERE channel = :channel AND account = :account AND address IN"
            " (:address, :chat)"
        ),
        names,
    )
    return None if row is None else str(row["reason"])
