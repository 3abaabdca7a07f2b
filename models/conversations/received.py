"""Inbound messages: a new message, a further part of an album, an edit of an earlier message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.attachments import commands as attachments
from models.channels.accounts import ChannelAccount
from models.conversations import messages, participants, threading
from models.conversations.tables import Message
from models.events.commands import Actor
from models.events.payload import UNSET
from models.events.ticket_payloads import MessageEdited, MessagePartAdded, MessageReceived
from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.ports import channel_facts
from models.ports.inbound import InboundMessage
from models.tickets.ticket_change import TicketChange


def add_inbound(
    change: TicketChange,
    parsed: InboundMessage,
    *,
    account: ChannelAccount,
    requester_id: UUID,
    inbox_id: UUID,
) -> UUID:
    """Add a requester's message from a channel. Its id and the ids that it refers to are stored for threading."""
    message_id = new_id()
    ticket = change.ticket
    messages.insert(
        change,
        message_id=message_id,
        direction="inbound",
        kind="reply",
        author=("requester", requester_id, parsed.author_name),
        body=parsed.body,
        channel=account.channel,
        account=account.name,
        subject=parsed.subject,
        body_full=parsed.body_full,
        body_html=parsed.body_html,
        body_html_remote=parsed.body_html_remote,
        external_id=parsed.external_id,
        in_reply_to=parsed.references[0] if parsed.references else None,
        automatic=parsed.automatic,
        by_machine=parsed.is_by_machine,
        attachments=[a.as_json() for a in parsed.attachments],
        inbox_id=inbox_id,
        details=facts(account, parsed),
        copies=[{"name": one.name, "address": one.address} for one in parsed.copies],
        verdict=parsed.verdict if channel_facts.of(account.channel).authenticates_senders else None,
        group_key=parsed.group_key,
    )
    if parsed.html_whole is not None:
        messages.add_whole_html(change, message_id, parsed.html_whole)
    attachments.record(change, message_id, parsed.attachments, account=account, part_id=parsed.external_id)
    if parsed.grade != "unproved" and not participants.is_unproved(parsed.details, parsed.verdict):
        participants.add(
            change, account.channel, parsed.copies, role="copy", is_confirmed=parsed.grade in (None, "proved")
        )
    _remember_ids(change, account, parsed, message_id)
    if ticket.contact_address is None or _moves_contact(change, parsed, requester_id):
        ticket.contact_channel, ticket.contact_account, ticket.contact_address, ticket.contact_grade = (
            account.channel,
            account.name,
            parsed.contact_address,
            parsed.contact_grade,
        )
    change.record(
        MessageReceived(
            message_id=message_id,
            channel=account.channel,
            account=account.name,
            automatic=parsed.automatic,
            by_machine=parsed.is_by_machine,
            inbox_id=inbox_id,
        )
    )
    return message_id


def _remember_ids(change: TicketChange, account: ChannelAccount, parsed: InboundMessage, message_id: UUID) -> None:
    """Store the message's id and the ids that it refers to."""
    if parsed.external_id:
        threading.take_over(account, parsed.external_id)
    known = [parsed.external_id, *parsed.references[: threading.references_max]]
    for external_id in dict.fromkeys(ref for ref in known if ref):
        messages.refer(change, account, external_id, message_id)


def facts(account: ChannelAccount, parsed: InboundMessage) -> JsonObject:
    """Return the parser's facts, and the facts that recognise the message later.

    A mail keeps the address of its author, who may have several, the author's proof, and its Date. Where ids start anew
    (`ids_start_anew`), a message keeps its time, which distinguishes a repeat from another message with the same id.
    """
    proof = {} if parsed.proof is None else {"author_proof": parsed.proof.as_json()}
    if channel_facts.of(account.channel).has_copies:
        sent_at = {"sent_at": clock.rfc3339(parsed.sent_at)} if parsed.sent_at is not None and parsed.is_dated else {}
        return {**parsed.details, **proof, **sent_at, "from": parsed.author_address}
    # The time of an edit is the time of the change, not of the message.
    if not parsed.ids_start_anew or parsed.edit or parsed.sent_at is None:
        return dict(parsed.details)
    return {**parsed.details, "sent_at": clock.rfc3339(parsed.sent_at)}


def _moves_contact(change: TicketChange, parsed: InboundMessage, requester_id: UUID) -> bool:
    """Return True if later answers go to the address of this message: the requester wrote it, or it is in a chat of
    several people.

    A reader of a copy, or a vacation responder, must not become the contact. An author without proof must not move the
    answers of a ticket: an unproved one not at all, an unjudged one not to another address (Reply-To).
    """
    if parsed.is_by_machine or parsed.grade == "unproved":
        return False
    if parsed.grade == "unjudged" and parsed.contact_address != parsed.author_address:
        return False
    return parsed.conversation_address is not None or change.ticket.requester_id in (None, requester_id)


def join_group(change: TicketChange, account: ChannelAccount, parsed: InboundMessage) -> UUID | None:
    """Add a further part of an album to the message of the first part: its files, and its text if the message has none.

    Returns the message's id; None when the message does not exist (yet).
    """
    row = database.one(
        "SELECT id, body, attachments, details FROM messages WHERE channel = :channel AND account = :account AND"
        " group_key = :key"
        " AND ticket_id = :ticket LIMIT 1",
        channel=account.channel,
        account=account.name,
        key=parsed.group_key,
        ticket=change.ticket.id,
    )
    if row is None:
        return None
    found = Message.converted(row)
    message_id: UUID = found["id"]
    details = found["details"]
    # The part with the caption gives the text; without a caption, the first part's placeholder stays.
    captioned = bool(parsed.details.get("caption")) and not details.get("caption")
    known = found["attachments"]
    attachments.record(
        change,
        message_id,
        parsed.attachments,
        account=account,
        part_id=parsed.external_id,
        first_position=len(known),
    )
    database.execute(
        "UPDATE messages SET body = :body, body_html = CASE WHEN :captioned THEN :html ELSE body_html END,"
        " attachments = :attachments,"
        " details = :details WHERE id = :id",
        body=parsed.body if captioned else row["body"],
        captioned=captioned,
        html=parsed.body_html,
        attachments=as_json([*known, *(a.as_json() for a in parsed.attachments)]),
        details=as_json(
            {**details, **(parsed.details if captioned else {}), "parts": int(details.get("parts", 1)) + 1}
        ),
        id=message_id,
    )
    if parsed.external_id:
        messages.refer(change, account, parsed.external_id, message_id)
    change.record(MessagePartAdded(message_id=message_id, external_id=parsed.external_id))
    return message_id


def edit(change: TicketChange, account: ChannelAccount, parsed: InboundMessage) -> UUID | None:
    """Apply the sender's edit of an earlier message. Its event keeps the old text and names the files that the edit
    replaced. Returns None for an unknown message.

    An edit that changes neither text nor files (a reaction count, a link's preview) makes no version.
    """
    row = database.one(
        "SELECT m.id, m.body, m.body_html, m.details, m.external_id, m.group_key"
        " FROM message_references AS r JOIN messages AS m ON m.id = r.message_id"
        " WHERE m.ticket_id = :ticket AND r.channel = :channel AND r.account = :account AND r.external_id ="
        " :external_id"
        # A message that only refers to the id does not count: it answers an unknown message.
        " AND m.direction = 'inbound' AND (m.external_id = :external_id OR m.group_key = :group_key)",
        group_key=parsed.group_key,
        ticket=change.ticket.id,
        channel=account.channel,
        account=account.name,
        external_id=parsed.external_id,
    )
    if row is None:
        return None
    found = Message.converted(row)
    message_id: UUID = found["id"]
    details = found["details"]
    at = None if parsed.sent_at is None else parsed.sent_at.isoformat()
    if at is not None and at < str(details.get("edited_at", "")):
        return message_id
    is_album = row["group_key"] is not None
    replaced = attachments.replace_edited(change, message_id, parsed, account=account, is_album=is_album)
    keeps_text = row["body"] == parsed.body or _keeps_album_text(row, details, parsed)
    if keeps_text and replaced is None:
        return message_id
    if not is_album and replaced is not None:
        details = _with_medium(details, parsed.details)
    database.execute(
        "UPDATE messages SET details = :details WHERE id = :id",
        details=as_json(details if at is None else {**details, "edited_at": at}),
        id=message_id,
    )
    text, html = (row["body"], row["body_html"]) if keeps_text else (parsed.body, parsed.body_html)
    rewrite(change, message_id, before=row["body"], after=text, body_html=html, replaced=replaced or ())
    return message_id


def _keeps_album_text(row: database.Row, details: JsonObject, parsed: InboundMessage) -> bool:
    """Return True if an edit of one part of an album does not concern its text: the caption, or the description of the
    first part. An edit of another picture does not remove the caption.
    """
    if row["group_key"] is None or parsed.details.get("caption"):
        return False
    return bool(details.get("caption")) or parsed.external_id != row["external_id"]


def _with_medium(details: JsonObject, edited: Mapping[str, Any]) -> JsonObject:
    """Return the details of a message whose medium was replaced: the facts of the new one instead of the old one."""
    before, after = str(details.get("kind", "")), str(edited.get("kind", ""))
    facts = {name: edited[name] for name in ("kind", after) if name in edited}
    return {**{name: value for name, value in details.items() if name not in ("kind", before)}, **facts}


def editor(actor: Actor) -> str:
    """Return the stored form of the person who edits or deletes a message."""
    return as_json({"kind": actor.kind, "id": actor.id, "name": actor.name})


def rewrite(
    change: TicketChange,
    message_id: UUID,
    *,
    before: str,
    after: str,
    body_html: str | None = None,
    replaced: Sequence[UUID] = (),
) -> None:
    """Replace a message's text; the ticket's history keeps the old one, and the ids of the files that were replaced."""
    database.execute(
        "UPDATE messages SET body = :body, body_html = :html, body_html_remote = NULL, edited_at = :at, edited_by = :by"
        " WHERE id = :id",
        body=after,
        by=editor(change.actor),
        html=body_html,
        at=change.at,
        id=message_id,
    )
    change.record(
        MessageEdited(message_id=message_id, previous_body=before, replaced_attachments=list(replaced) or UNSET)
    )
