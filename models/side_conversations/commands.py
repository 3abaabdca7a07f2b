"""Start a side conversation, and write in it again. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from models.attachments import commands as attachments
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations import messages, participants, threading
from models.conversations.tables import Message, TicketParticipant
from models.events.answering_payloads import SideConversationStarted
from models.events.commands import Actor
from models.events.ticket_payloads import NoteAdded
from models.kernel import clock
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.text import ERASED
from models.ports import channel_facts
from models.requesters.tables import Identity
from models.side_conversations import threads
from models.side_conversations.tables import SideConversation
from models.ticket_actions import signing
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange

side_conversations_max: Final = 20  # of a ticket; more third parties are a project
forwarded_max: Final = 50  # messages and files that one mail forwards, like a page of a list
text_chars_max: Final = 200_000  # of a mail with the messages that it forwards; a provider's limit is above it


class TooManySideConversations(Conflict):
    """The ticket has as many side conversations as it may have."""

    code = "too_many_side_conversations"


@dataclass(frozen=True, slots=True)
class Words:
    """The content of a message to a third party.

    `forwarded`: messages of the ticket, whose texts follow the own text. `files`: files of the ticket's messages.
    `uploads`: new files of the principal `by`. `send_at` holds the message until then.
    """

    body: str
    forwarded: Sequence[UUID] = ()
    files: Sequence[UUID] = ()
    uploads: Sequence[UUID] = ()
    by: str = ""
    send_at: datetime | None = None


def start(
    ticket_id: UUID, words: Words, *, to: str, name: str = "", subject: str | None = None, actor: Actor
) -> tuple[UUID, UUID]:
    """Write the first message to a third party; return the ids of the side conversation and of the message.

    Raises Invalid for an address that takes part in the ticket, of this desk, or that returned our mail, and
    TooManySideConversations.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    account, address = _recipient(change.ticket, to)
    in_ticket = SideConversation.select().join(Message, on=Message.id == SideConversation.first_message_id)
    if in_ticket.where(Message.ticket_id == change.ticket.id).count() >= side_conversations_max:
        raise TooManySideConversations()
    side_id, message_id = new_id(), new_id()
    side = {
        "id": side_id,
        "first_message_id": message_id,
        "channel": account.channel,
        "account": account.name,
        "address": address,
        "name": name.strip(),
        "subject": (subject or "").strip() or change.ticket.title,
        "reply_token": threads.new_token(),
        "started_kind": actor.kind,
        "started_id": UUID(actor.id) if actor.id else None,
        "started_name": actor.name,
        "created_at": change.at,
    }
    _add(change, side, message_id, words, first=True)
    change.record(SideConversationStarted(side_conversation_id=side_id, message_id=message_id, channel=account.channel))
    change.save()
    _attach(change.ticket.id, message_id, words)
    audit.record(
        AuditAction.side_conversation_started,
        "ticket",
        change.ticket.id,
        after={"side_conversation": side_id, "messages": len(words.forwarded), "files": len(words.files)},
    )
    return side_id, message_id


def write(side: database.Row, words: Words, *, actor: Actor) -> UUID:
    """Write to the third party again; return the message's id. Raises Invalid like `start`, and Conflict for a side
    conversation whose address was erased.
    """
    if side["address"] == ERASED:
        raise Conflict("the third party's data was erased; nobody can be written to")
    change = TicketChange.of(threads.ticket_of(side), actor=actor)
    message_id = new_id()
    _add(change, side, message_id, words, first=False)
    change.save()
    _attach(change.ticket.id, message_id, words)
    return message_id


def _recipient(ticket: Ticket, wanted: str) -> tuple[ChannelAccount, str]:
    """Return the account that writes, and the third party's address."""
    chosen = participants.chosen_recipient(ticket, wanted)
    if chosen is None:
        raise Invalid([FieldProblem("/to", "expected a third party, found the requester; reply to the ticket instead")])
    taking_part = TicketParticipant.select().where(
        TicketParticipant.ticket_id == ticket.id,
        TicketParticipant.channel == chosen.account.channel,
        TicketParticipant.address == chosen.address,
        TicketParticipant.role != participants.FORMER,
    )
    own = Identity.select().where(
        Identity.requester_id == ticket.requester_id,
        Identity.channel == chosen.account.channel,
        Identity.address == chosen.address,
    )
    if taking_part.exists() or (ticket.requester_id is not None and own.exists()):
        raise Invalid(
            [
                FieldProblem(
                    "/to", f"expected a third party, found {wanted}, who takes part in the ticket; reply to them"
                )
            ]
        )
    return chosen.account, chosen.address


def _add(change: TicketChange, side: database.Row, message_id: UUID, words: Words, *, first: bool) -> None:
    """Add the note, its delivery, and the row that makes the note a message of the side conversation."""
    account = accounts.find(side["channel"], side["account"])
    external_id = threads.marked(threading.new_external_id(account, change.ticket.number, message_id))
    details: JsonObject = {
        "side": {"id": str(side["id"]), "is_answer": False},
        "to": {"address": side["address"], "reaches_requester": False},
        "without_name": True,
    }
    if channel_facts.of(account.channel).has_signatures and (signature := signing.signature_of(change)) is not None:
        details["signature"] = signature
    messages.insert(
        change,
        message_id=message_id,
        direction="outbound",
        kind="note",
        author=messages.actor_author(change.actor),
        body=_text(change.ticket.id, words),
        # The references of the requester's mails leave out what did not come or go by their channel.
        channel="console",
        account=None,
        subject=side["subject"] if first else f"Re: {side['subject']}",
        external_id=external_id,
        details=details,
    )
    if first:
        change.batch.insert("side_conversations", side)
    change.batch.insert("side_messages", {"message_id": message_id, "side_id": side["id"], "is_answer": False})
    if external_id is not None:
        messages.refer(change, account, external_id, message_id)
    to = participants.ChosenRecipient(account, side["address"])
    delivery_id = messages.deliver(change, account, message_id, to, automatic=False, send_at=words.send_at)
    change.record(
        NoteAdded(message_id=message_id, side_conversation_id=side["id"], delivery_ids=[delivery_id], is_answer=False)
    )


def _text(ticket_id: UUID, words: Words) -> str:
    """Return the own text with the forwarded messages. Raises Invalid for a message that cannot be forwarded."""
    query = Message.select().where(
        Message.id.in_(list(words.forwarded)),
        Message.ticket_id == ticket_id,
        Message.kind == "reply",
        Message.deleted_at.is_null(),
    )
    known = {row["id"]: row for row in database.rows(query)}
    problems = [
        FieldProblem(f"/messages/{index}", "expected the id of a public message of this ticket")
        for index, one in enumerate(words.forwarded)
        if one not in known
    ]
    if problems:
        raise Invalid(problems)
    rows = sorted((known[one] for one in set(words.forwarded)), key=lambda row: row["sequence"])
    text = "\n\n".join([words.body, *map(_forwarded, rows)])
    if len(text) > text_chars_max:
        found = f"expected at most {text_chars_max} characters with the forwarded messages, found {len(text)}"
        raise Invalid([FieldProblem("/messages", found)])
    return text


def _forwarded(row: database.Row) -> str:
    """Return a message as mail programs forward it. It names the author and hides the address."""
    return f"-----\nFrom: {row['author_name']}\nDate: {clock.rfc3339(row['created_at'])}\n\n{row['body']}"


def _attach(ticket_id: UUID, message_id: UUID, words: Words) -> None:
    """Add the files, after the message's row is written."""
    if words.files:
        attachments.copy(words.files, ticket_id=ticket_id, message_id=message_id)
    if words.uploads:
        attachments.use(
            words.uploads, ticket_id=ticket_id, message_id=message_id, by=words.by, first_position=len(words.files)
        )
