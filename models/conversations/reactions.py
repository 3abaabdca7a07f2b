"""Later changes of a message by people: reactions, and deletions by its sender."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import holding, threading, unanswered
from models.conversations.tables import Message
from models.events.commands import Actor
from models.events.ticket_payloads import MessageDeleted, ReactionChanged
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.ports import channel_facts
from models.ports.inbound import Deletion, ReactionChange
from models.requesters import commands as requesters
from models.tickets.ticket_change import TicketChange

# People whose reactions are kept on one message; in a large group, further ones add no information.
_people_max = 200
# Reactions of one person that are kept; each mail can add some.
_emojis_max = 50


def change(account: ChannelAccount, told: ReactionChange) -> UUID | None:
    """Store a person's present reactions to a message. Returns its ticket; None for an unknown message, and for a mail
    of somebody who does not take part in the ticket.

    Joins the caller's transaction.
    """
    row = _message(account, told.external_id)
    if row is None:
        return None
    if not _may_react(account, told.author_address, Message.converted(row)["ticket_id"]):
        return None
    held = _change(row, account, told.author_address, told.author_name)
    current = database.one("SELECT reactions FROM messages WHERE id = :id", id=row["id"])
    assert current is not None, "the ticket's row is held, so its messages stay"
    kept = Message.converted(current)["reactions"]
    before = kept.pop(told.author_address, [])
    after = list(dict.fromkeys([*before, *told.emojis]) if told.adds else told.emojis)[:_emojis_max]
    if after and len(kept) < _people_max:
        kept[told.author_address] = after
    if before != after:
        database.execute(
            "UPDATE messages SET reactions = :reactions WHERE id = :id", reactions=as_json(kept), id=row["id"]
        )
        message_id = Message.converted(row)["id"]
        held.record(ReactionChanged(message_id=message_id, from_=before, to=after))
        held.save()
    return held.ticket.id


def delete(account: ChannelAccount, told: Deletion) -> UUID | None:
    """Mark messages that their sender deleted; the history keeps their text. Joins the caller's transaction."""
    ticket_id = None
    for external_id in told.external_ids:
        row = _message(account, external_id)
        if row is None:
            continue
        held = _change(row, account, None, "")
        marked = database.execute(
            "UPDATE messages SET deleted_at = :at WHERE id = :id AND deleted_at IS NULL",
            at=held.at,
            id=row["id"],
        )
        if marked.rowcount:
            unanswered.recompute(held)
            held.record(MessageDeleted(message_id=Message.converted(row)["id"], by="sender"))
            held.save()
        ticket_id = held.ticket.id
    return ticket_id


def _message(account: ChannelAccount, external_id: str) -> database.Row | None:
    return database.one(
        "SELECT m.id, m.ticket_id FROM message_references AS r JOIN messages AS m ON m.id = r.message_id"
        " WHERE r.channel = :channel AND r.account = :account AND r.external_id = :id"
        # The message itself, a part of ours, or a part of an album; no message that only refers to the id.
        " AND (m.external_id = :id OR m.direction = 'outbound' OR m.group_key IS NOT NULL)",
        channel=account.channel,
        account=account.name,
        id=external_id,
    )


def _may_react(account: ChannelAccount, address: str, ticket_id: UUID) -> bool:
    """Return True if the author takes part in the ticket. In a chat, the provider shows a message to nobody else."""
    if not channel_facts.of(account.channel).has_copies:
        return True
    known = requesters.find(account.channel, address)
    return threading.takes_part(account, ticket_id, None if known is None else known.id, address)


def _change(row: database.Row, account: ChannelAccount, address: str | None, name: str) -> TicketChange:
    known = requesters.find(account.channel, address) if address else None
    actor = Actor("requester", str(known.id) if known else None, known.name if known else name)
    return holding.change_of(Message.converted(row)["id"], actor=actor)
