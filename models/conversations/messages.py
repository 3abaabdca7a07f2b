"""Messages: commands that add them to a ticket's change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID

from models.channels import accounts, texts
from models.channels.accounts import ChannelAccount
from models.conversations import threading, unanswered
from models.conversations.participants import ChosenRecipient
from models.events.commands import Actor
from models.events.payload import UNSET, Cause, Unset
from models.events.ticket_payloads import MessageAdded, MessageReceived, NoteAdded
from models.kernel.ids import new_id
from models.ports.inbound import Participant
from models.ports.mail_html import WholeHtml
from models.tasks.payloads import ReleaseMessage, SendDelivery
from models.tickets.ticket_change import TicketChange

Author = tuple[Literal["requester", "agent", "system", "api", "third_party"], UUID | None, str]


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
    """Add a row of `messages`, with the ticket's next sequence number."""
    ticket = change.ticket
    ticket.message_count += 1
    ticket.last_message_at = at or change.at
    unanswered.note(ticket, {"direction": direction, "kind": kind, **more}, at=change.at)
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


def add_whole_html(change: TicketChange, message_id: UUID, whole: WholeHtml) -> None:
    """Store the HTML of a mail without any cut, for a reader who requests it."""
    change.batch.insert(
        "message_whole_html",
        {
            "message_id": message_id,
            "html": whole.html,
            "html_remote": whole.html_remote,
            "blocked_remote": whole.blocked_remote,
        },
    )


def refer(change: TicketChange, account: ChannelAccount, external_id: str, message_id: UUID) -> None:
    """Store a provider's message id. The first ticket that stored it keeps it, except after `threading.take_over`."""
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
    """Add the first message of a ticket that was created through the API or the console."""
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
    change.record(MessageReceived(message_id=message_id, channel="api", account=None, automatic=None, by_machine=False))
    return message_id


def add_note(
    change: TicketChange,
    body: str,
    *,
    author: Author,
    body_format: str = "text",
    cause: Cause | None = None,
    details: Mapping[str, Any] | None = None,
) -> UUID:
    """Add an internal note, which is never sent. `cause`: the rule that wrote it, for the event."""
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
    change.record(NoteAdded(message_id=message_id), cause=cause)
    return message_id


def add_reply(
    change: TicketChange,
    body: str,
    *,
    author: Author,
    body_format: str = "text",
    automatic: bool = False,
    send_at: datetime | None = None,
    template: str | Unset = UNSET,
    cause: Cause | None = None,
    copies: Sequence[Participant] = (),
    to: ChosenRecipient | None = None,
    details: Mapping[str, Any] | None = None,
) -> tuple[UUID, Sequence[UUID]]:
    """Add a public message to the requester, with a delivery if they can be reached. Returns the message's and the
    deliveries' ids.

    `template` and `cause`: the template and the rule that wrote it, for the event. `copies`: further readers of the
    same mail. `to`: the recipient of a mail instead of the requester's contact. An automatic message to a stranger has
    a neutral subject, and its recipient no name.
    """
    ticket = change.ticket
    message_id = new_id()
    account = contact_account(change) if to is None else to.account
    external_id = threading.new_external_id(account, ticket.number, message_id) if account else None
    # A mail names the account of a ticket: without one, no mail came or went yet.
    subject = _subject(ticket.title, ticket.number, is_first=account is not None and ticket.contact_account is None)
    if account is not None and to is None:
        ticket.contact_account = account.name
    details = dict(details or {})
    if automatic and account is not None and ticket.contact_is_a_stranger:
        subject = f"{texts.text(account, 'first_subject', None)} [#{ticket.number}]"
        details["without_name"] = True
    insert(
        change,
        message_id=message_id,
        direction="outbound",
        kind="reply",
        author=author,
        body=body,
        body_format=body_format,
        **_sent_by(account),
        subject=subject,
        external_id=external_id,
        automatic="auto_reply" if automatic else None,
        by_machine=automatic,
        copies=[{"name": one.name, "address": one.address} for one in copies],
        details=details,
    )
    if account is not None and external_id is not None:
        refer(change, account, external_id, message_id)
    delivery_ids = (
        [] if account is None else [deliver(change, account, message_id, to, automatic=automatic, send_at=send_at)]
    )
    added = MessageAdded(message_id=message_id, delivery_ids=delivery_ids, automatic=automatic, template=template)
    change.record(added, cause=cause)
    return message_id, delivery_ids


class _Sender(TypedDict):
    channel: str
    account: str | None


def _sent_by(account: ChannelAccount | None) -> _Sender:
    """The channel and account columns of a message; `api` for a message that is sent nowhere."""
    return (
        {"channel": "api", "account": None}
        if account is None
        else {"channel": account.channel, "account": account.name}
    )


def deliver(
    change: TicketChange,
    account: ChannelAccount,
    message_id: UUID,
    to: ChosenRecipient | None,
    *,
    automatic: bool,
    send_at: datetime | None,
) -> UUID:
    """Add the message's delivery and the task that sends it now, or releases it at `send_at`."""
    ticket = change.ticket
    address = str(ticket.contact_address) if to is None else to.address
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
            "address": address,
            "state": "scheduled" if scheduled else "pending",
            "automatic": automatic,
            "send_at": send_at if scheduled else None,
            "created_at": change.at,
        },
    )
    if scheduled:
        # No key: a message for next week must not hold back the messages before it.
        change.enqueue(
            ReleaseMessage(delivery_id=delivery_id),
            key=None,
            due_at=send_at,
            dedupe_key=f"release:{delivery_id}",
        )
    else:
        change.enqueue(
            SendDelivery(delivery_id=delivery_id),
            key=send_key(account.channel, account.name, address),
            dedupe_key=f"send:{delivery_id}",
        )
    return delivery_id


_REPLY_PREFIX = re.compile(r"^(?:re|aw|sv|antw|отв)(?:\[\d+\])?:\s*", re.IGNORECASE)
_TICKET_MARK = re.compile(r"\s*\[#\d+\]")


def _subject(title: str, number: int, *, is_first: bool = False) -> str:
    """Return the subject of an answer: one `Re:` and one ticket mark, however many answers came before.

    The first mail of a thread answers nothing, so it has no `Re:`.
    """
    bare = _TICKET_MARK.sub("", title)
    while (match := _REPLY_PREFIX.match(bare)) is not None:
        bare = bare[match.end() :]
    prefix = "" if is_first else "Re: "
    return f"{prefix}{bare.strip() or title} [#{number}]"


def contact_account(change: TicketChange) -> ChannelAccount | None:
    """Return the account that reaches the ticket's requester; None when there is none."""
    ticket = change.ticket
    if ticket.contact_channel is None or ticket.contact_address is None:
        return None
    if ticket.contact_account is None:
        return accounts.default_for(ticket.contact_channel)
    return accounts.find(ticket.contact_channel, ticket.contact_account)


def send_key(channel: str, account: str, address: str) -> str:
    """Return the ordering key of sends to an address: one at a time.

    It contains a hash, so the address stays out of keys and logs.
    """
    return f"send:{channel}:{account}:{hashlib.sha256(address.encode()).hexdigest()[:16]}"


def actor_author(actor: Actor) -> Author:
    """Return the actor as a message's author."""
    author_id = UUID(actor.id) if actor.id else None
    if actor.kind == "user":
        return ("agent", author_id, actor.name)
    if actor.kind == "api_key":
        return ("api", author_id, actor.name)
    return ("system", None, actor.name)
