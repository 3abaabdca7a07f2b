"""Write messages into a ticket's change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.events.commands import Actor
from models.kernel.ids import new_id
from models.ports.inbound import Participant
from models.tickets.ticket_change import TicketChange

Author = tuple[Literal["requester", "agent", "system", "api"], UUID | None, str]


def insert(
    change: TicketChange,
    *,
    message_id: UUID,
    direction: str,
    kind: str,
    author: Author,
    body: str,
    channel: str,
    account: str | None,
    at: datetime | None = None,
    **more: Any,
) -> None:
    """A row of `messages`, the ticket's next."""
    ticket = change.ticket
    ticket.message_count += 1
    ticket.last_message_at = at or change.at
    change.batch.insert(
        "messages",
        {
            "id": message_id,
            "ticket_id": ticket.id,
            "sequence": ticket.message_count,
            "direction": direction,
            "kind": kind,
            "author_kind": author[0],
            "author_id": author[1],
            "author_name": author[2],
            "body": body,
            "channel": channel,
            "account": account,
            "attachments": [],
            "created_at": change.at,
            **more,
        },
    )


def refer(change: TicketChange, account: ChannelAccount, external_id: str, message_id: UUID) -> None:
    """Remember a provider id, seen or sent; the first ticket that knew it keeps it, but for `threading.take_over`."""
    change.batch.insert(
        "message_references",
        {
            "channel": account.channel,
            "account": account.name,
            "external_id": external_id,
            "ticket_id": change.ticket.id,
            "message_id": message_id,
            "created_at": change.at,
        },
        unless_exists=True,
    )


def add_description(change: TicketChange, body: str, *, author: Author) -> UUID:
    """The first message of a ticket made over the API or in the console."""
    message_id = new_id()
    insert(
        change,
        message_id=message_id,
        direction="inbound",
        kind="reply",
        author=author,
        body=body,
        channel="api",
        account=None,
    )
    change.record("message_received", {"message_id": message_id, "channel": "api", "account": None, "automatic": None})
    return message_id


def add_note(
    change: TicketChange,
    body: str,
    *,
    author: Author,
    body_format: str = "text",
    why: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> UUID:
    """An internal note, never sent out. `why`: what the event tells of the rule that wrote it."""
    message_id = new_id()
    insert(
        change,
        message_id=message_id,
        direction="outbound",
        kind="note",
        author=author,
        body=body,
        body_format=body_format,
        channel="console",
        account=None,
        details=dict(details or {}),
    )
    change.record("note_added", {"message_id": message_id, **(why or {})})
    return message_id


def add_reply(
    change: TicketChange,
    body: str,
    *,
    author: Author,
    body_format: str = "text",
    automatic: bool = False,
    send_at: datetime | None = None,
    why: Mapping[str, Any] | None = None,
    copies: Sequence[Participant] = (),
    details: Mapping[str, Any] | None = None,
) -> tuple[UUID, Sequence[UUID]]:
    """A public message to the requester, with one delivery when we know how to reach them; returns message and delivery ids.

    `why`: what the event tells of the rule that wrote it. `copies`: who gets the same mail as well.
    """
    ticket = change.ticket
    message_id = new_id()
    account = contact_account(change)
    external_id = threading.new_external_id(account, ticket.number, message_id) if account else None
    insert(
        change,
        message_id=message_id,
        direction="outbound",
        kind="reply",
        author=author,
        body=body,
        body_format=body_format,
        channel=account.channel if account else "api",
        account=account.name if account else None,
        subject=_subject(ticket.title, ticket.number),
        external_id=external_id,
        automatic="auto_reply" if automatic else None,
        copies=[{"name": one.name, "address": one.address} for one in copies],
        details=dict(details or {}),
    )
    if account is None:
        told = {"message_id": message_id, "delivery_ids": [], "automatic": automatic, **(why or {})}
        change.record("message_added", told)
        return message_id, []
    if external_id is not None:
        refer(change, account, external_id, message_id)
    delivery_id = new_id()
    scheduled = send_at is not None and send_at > change.at
    change.batch.insert(
        "deliveries",
        {
            "id": delivery_id,
            "message_id": message_id,
            "ticket_id": ticket.id,
            "channel": account.channel,
            "account": account.name,
            "address": ticket.contact_address,
            "state": "scheduled" if scheduled else "pending",
            "automatic": automatic,
            "send_at": send_at if scheduled else None,
            "created_at": change.at,
        },
    )
    if scheduled:
        # No key: a message for next week must not hold back what comes before it.
        change.enqueue(
            "release_message",
            {"delivery_id": delivery_id},
            key=None,
            due_at=send_at,
            dedupe_key=f"release:{delivery_id}",
        )
    else:
        change.enqueue(
            "send_delivery",
            {"delivery_id": delivery_id},
            key=send_key(account.channel, account.name, str(ticket.contact_address)),
            dedupe_key=f"send:{delivery_id}",
        )
    change.record(
        "message_added",
        {"message_id": message_id, "delivery_ids": [delivery_id], "automatic": automatic, **(why or {})},
    )
    return message_id, [delivery_id]


_REPLY_PREFIX = re.compile(r"^(?:re|aw|sv|antw|отв)(?:\[\d+\])?:\s*", re.IGNORECASE)
_TICKET_MARK = re.compile(r"\s*\[#\d+\]")


def _subject(title: str, number: int) -> str:
    """The subject of an answer: one `Re:` and one mark, however often the thread went to and fro."""
    bare = _TICKET_MARK.sub("", title)
    while (match := _REPLY_PREFIX.match(bare)) is not None:
        bare = bare[match.end() :]
    return f"Re: {bare.strip() or title} [#{number}]"


def contact_account(change: TicketChange) -> ChannelAccount | None:
    """The account by which the ticket's requester is reached, or None when there is no way."""
    ticket = change.ticket
    if ticket.contact_channel is None or ticket.contact_address is None:
        return None
    if ticket.contact_account is None:
        account = accounts.default_for(ticket.contact_channel)
        if account is not None:
            ticket.contact_account = account.name
        return account
    return accounts.find(ticket.contact_channel, ticket.contact_account)


def send_key(channel: str, account: str, address: str) -> str:
    """The order in which sends happen: one after another per address. The address itself stays out of keys and logs."""
    return f"send:{channel}:{account}:{hashlib.sha256(address.encode()).hexdigest()[:16]}"


def actor_author(actor: Actor) -> Author:
    """How an actor is named as a message's author."""
    if actor.kind == "user":
        return ("agent", UUID(actor.id) if actor.id else None, actor.name)
    return ("api" if actor.kind == "api_key" else "system", None, actor.name)
