"""Answers of third parties: each becomes an internal note, and the agent gets a notice. Joins the caller's transaction.

An answer starts no reaction of the life cycle and no automatic message, so it cannot be part of a mail loop.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from models.attachments import commands as attachments
from models.channels.accounts import ChannelAccount
from models.conversations import messages, received
from models.events.commands import SYSTEM
from models.events.ticket_payloads import NoteAdded
from models.identity import queries as identity
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.notice_settings.rules import Kind
from models.notices import commands as notices
from models.notices import texts
from models.ports.inbound import InboundMessage
from models.requesters.commands import normalise_address
from models.side_conversations import threads
from models.side_conversations.tables import SideConversation
from models.tasks import rates
from models.tickets.ticket_change import TicketChange
from models.visibility import sight
from models.visibility.sight import Sight

# A program that answers each mail, or a third party's own help desk, must not fill a ticket.
_answers_burst: Final = 60
_answer_every_s: Final = 60.0


def is_too_frequent(side: database.Row) -> bool:
    """Return True if the side conversation got more answers than a person writes. Counts the answer."""
    return rates.take([rates.Bucket(f"side_answer:{side['id']}", _answer_every_s, _answers_burst)]) > 0.0


def take(side: database.Row, account: ChannelAccount, parsed: InboundMessage, *, inbox_id: UUID) -> tuple[UUID, UUID]:
    """Add an answer to the ticket as a note; return the ids of the ticket and of the note."""
    change = TicketChange.of(threads.ticket_of(side), actor=SYSTEM, causation_id=f"inbox:{inbox_id}")
    message_id = new_id()
    author = normalise_address(account.channel, parsed.author_address)
    facts = received.facts(account, parsed)
    messages.insert(
        change,
        message_id=message_id,
        direction="outbound",
        kind="note",
        author=("third_party", None, parsed.author_name or parsed.author_address),
        body=parsed.body,
        channel="console",
        account=None,
        subject=parsed.subject,
        body_full=parsed.body_full,
        body_html=parsed.body_html,
        body_html_remote=parsed.body_html_remote,
        external_id=parsed.external_id,
        in_reply_to=parsed.references[0] if parsed.references else None,
        automatic=parsed.automatic,
        by_machine=parsed.is_by_machine,
        attachments=[one.as_json() for one in parsed.attachments],
        inbox_id=inbox_id,
        details={
            **{name: value for name, value in facts.items() if name not in ("to", "side")},
            "side": {"id": str(side["id"]), "is_answer": True, "by_third_party": author == side["address"]},
        },
        verdict=parsed.verdict,
    )
    change.batch.insert("side_messages", {"message_id": message_id, "side_id": side["id"], "is_answer": True})
    if parsed.html_whole is not None:
        messages.add_whole_html(change, message_id, parsed.html_whole)
    attachments.record(change, message_id, parsed.attachments, account=account, part_id=parsed.external_id)
    if parsed.external_id:
        messages.refer(change, account, parsed.external_id, message_id)
    change.record(NoteAdded(message_id=message_id, side_conversation_id=side["id"], delivery_ids=[], is_answer=True))
    if not parsed.is_by_machine:
        _notify(change, side, message_id)
    change.save()
    SideConversation.update(last_answer_at=change.at).where(SideConversation.id == side["id"]).execute()
    return change.ticket.id, message_id


def _notify(change: TicketChange, side: database.Row, message_id: UUID) -> None:
    """Notify the person who started the side conversation; if they do not see the ticket any more, the assignee."""
    ticket = change.ticket
    for user_id in (_starter(side), ticket.assignee_id):
        if user_id is None or not identity.can_read_tickets(user_id):
            continue
        user = identity.get_user(user_id)
        if not sight.sees(Sight.of_user(user), ticket):
            continue
        text = texts.text("side_answer", user.locale, number=ticket.number, third_party=side["name"] or side["address"])
        notices.add(change, user_id, kind=Kind.side_answer, rule="side_answer", text=text, message_id=message_id)
        return


def _starter(side: database.Row) -> UUID | None:
    """Return the user who started the side conversation, or the owner of the API key that did."""
    starter: UUID | None = side["started_id"]
    if starter is None or side["started_kind"] == "user":
        return starter
    return identity.get_api_key(starter).owner_id if side["started_kind"] == "api_key" else None
