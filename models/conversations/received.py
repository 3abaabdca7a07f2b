"""Messages that come in: a new one, a further part of an album, another wording of an earlier one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.attachments import commands as attachments
from models.channels.accounts import ChannelAccount
from models.conversations import messages, participants, threading
from models.kernel import clock, database
from models.kernel.batch import as_json, from_json
from models.kernel.ids import new_id
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
    """A requester's message from a channel. Its id and the ids it refers to are remembered for threading."""
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
        attachments=[a.as_json() for a in parsed.attachments],
        inbox_id=inbox_id,
        details=_facts(account, parsed),
        copies=[{"name": one.name, "address": one.address} for one in parsed.copies],
        verdict=parsed.verdict if channel_facts.of(account.channel).authenticates_senders else None,
        group_key=parsed.group_key,
    )
    attachments.record(change, message_id, parsed.attachments, account=account)
    if not participants.is_unproved(parsed.details, parsed.verdict):
        participants.add(change, account.channel, parsed.copies, role="copy")
    if parsed.external_id:
        threading.take_over(account, parsed.external_id)
    known = [parsed.external_id, *parsed.references[: threading.references_max]]
    for external_id in dict.fromkeys(ref for ref in known if ref):
        messages.refer(change, account, external_id, message_id)
    if ticket.contact_address is None or _moves_contact(change, parsed, requester_id):
        ticket.contact_channel, ticket.contact_account, ticket.contact_address = (
            account.channel,
            account.name,
            parsed.contact_address,
        )
    change.record(
        "message_received",
        {
            "message_id": message_id,
            "channel": account.channel,
            "account": account.name,
            "automatic": parsed.automatic,
            "inbox_id": inbox_id,
        },
    )
    return message_id


def _facts(account: ChannelAccount, parsed: InboundMessage) -> dict[str, Any]:
    """The parser's facts; of a mail the address that it came from, as its author may have several; where ids start anew when it was
    written, which tells a message that comes again from another one of the same number."""
    if channel_facts.of(account.channel).has_copies:
        return {**parsed.details, "from": parsed.author_address}
    if not parsed.ids_start_anew or parsed.edit or parsed.sent_at is None:  # of an edit it is when it was edited
        return dict(parsed.details)
    return {**parsed.details, "sent_at": clock.rfc3339(parsed.sent_at)}


def _moves_contact(change: TicketChange, parsed: InboundMessage, requester_id: UUID) -> bool:
    """Whether answers go to where this message came from: the requester wrote it, or it is said in a chat of several.

    The reader of a copy, or somebody's vacation responder, must not draw the answers to themselves.
    """
    if parsed.automatic is not None:
        return False
    return parsed.conversation_address is not None or change.ticket.requester_id in (None, requester_id)


def join_group(change: TicketChange, account: ChannelAccount, parsed: InboundMessage) -> UUID | None:
    """Add a further part of an album to the message that its first part made: files, and the text where there was none.

    None when there is no such message (yet).
    """
    row = database.one(
        "SELECT id, body, attachments, details FROM messages WHERE channel = :channel AND account = :account AND group_key = :key"
        " AND ticket_id = :ticket LIMIT 1",
        channel=account.channel,
        account=account.name,
        key=parsed.group_key,
        ticket=change.ticket.id,
    )
    if row is None:
        return None
    message_id = UUID(str(row["id"]))
    details = from_json(row["details"])
    # The part with the caption speaks for all; without one, the first part's stand-in does.
    captioned = bool(parsed.details.get("caption")) and not details.get("caption")
    known = from_json(row["attachments"])
    attachments.record(change, message_id, parsed.attachments, account=account, first_position=len(known))
    database.execute(
        "UPDATE messages SET body = :body, body_html = CASE WHEN :captioned THEN :html ELSE body_html END, attachments = :attachments,"
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
    change.record("message_part_added", {"message_id": message_id, "external_id": parsed.external_id})
    return message_id


def edit(change: TicketChange, account: ChannelAccount, parsed: InboundMessage) -> UUID | None:
    """The sender changed an earlier message: keep the old text in the event. None when we do not know the message.

    A change that changes no text (a reaction count, a link's preview) leaves no version behind.
    """
    row = database.one(
        "SELECT m.id, m.body, m.details FROM message_references AS r JOIN messages AS m ON m.id = r.message_id"
        " WHERE m.ticket_id = :ticket AND r.channel = :channel AND r.account = :account AND r.external_id = :external_id"
        # Not a message that only referred to it: who answered an unknown message has not written it.
        " AND m.direction = 'inbound' AND (m.external_id = :external_id OR m.group_key = :group_key)",
        group_key=parsed.group_key,
        ticket=change.ticket.id,
        channel=account.channel,
        account=account.name,
        external_id=parsed.external_id,
    )
    if row is None:
        return None
    message_id = UUID(str(row["id"]))
    # Of an album, the caption is the text; that another of its pictures changed takes no word away.
    is_wordless_part = (
        from_json(row["details"]).get("caption") and parsed.group_key and not parsed.details.get("caption")
    )
    details = from_json(row["details"])
    at = None if parsed.sent_at is None else parsed.sent_at.isoformat()
    is_older = at is not None and at < str(details.get("edited_at", ""))
    if row["body"] == parsed.body or is_wordless_part or is_older:
        return message_id
    if at is not None:
        database.execute(
            "UPDATE messages SET details = :details WHERE id = :id",
            details=as_json({**details, "edited_at": at}),
            id=message_id,
        )
    rewrite(change, message_id, before=row["body"], after=parsed.body, body_html=parsed.body_html)
    return message_id


def rewrite(change: TicketChange, message_id: UUID, *, before: str, after: str, body_html: str | None = None) -> None:
    """Another text for a message; what it said before stays in the ticket's history."""
    database.execute(
        "UPDATE messages SET body = :body, body_html = :html, body_html_remote = NULL, edited_at = :at WHERE id = :id",
        body=after,
        html=body_html,
        at=change.at,
        id=message_id,
    )
    change.record("message_edited", {"message_id": message_id, "previous_body": before})
