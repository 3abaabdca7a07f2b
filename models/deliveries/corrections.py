"""Corrections by agents: a sent message is edited or deleted by its own delivery, any other message immediately."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import holding, messages, received, unanswered
from models.conversations import queries as conversations
from models.conversations.row_types import MessageRow
from models.conversations.tables import Message
from models.deliveries import outgoing
from models.events.commands import SYSTEM, Actor
from models.events.ticket_payloads import MessageDeleted, MessageEditSent
from models.kernel.errors import Conflict, Forbidden
from models.kernel.storage import database
from models.ports.outbound import Operation
from models.ticket_actions import following
from models.tickets.ticket_change import TicketChange

# Channel -> the operations that it supports: send, edit, delete.
Can = Callable[[str], frozenset[str]]


class CannotCorrect(Conflict):
    """The message was sent or is being sent, and its channel cannot change it."""

    code = "cannot_correct"


class NotYourMessage(Forbidden):
    """Somebody else wrote this message; changing it needs the permission messages_manage."""

    code = "not_your_message"


def edit(message_id: UUID, body: str, *, actor: Actor, can: Can, of_others: bool = False) -> None:
    """Change the text of a note or an answer of ours. `of_others`: the actor may change what others wrote.

    Joins the caller's transaction. Raises NotFound, CannotCorrect, NotYourMessage.
    """
    change, row = _locked(message_id, actor, "edit", can, of_others=of_others)
    if row["deleted_at"] is not None:
        raise CannotCorrect("the message was taken back")
    if row["body"] == body:
        return
    received.rewrite(change, message_id, before=row["body"], after=body)
    if row["kind"] == "note" and "side" not in row["details"]:
        following.mention_anew(change, row, body)
    deliveries = outgoing.change_sent(change, message_id, "edit")
    if deliveries:
        change.record(MessageEditSent(message_id=message_id, delivery_ids=deliveries))
    change.save()


def delete(message_id: UUID, *, actor: Actor, can: Can, of_others: bool = False) -> None:
    """Delete a note or an answer of ours. `of_others`: the actor may delete what others wrote.

    Joins the caller's transaction. Raises NotFound, CannotCorrect, NotYourMessage.
    """
    change, row = _locked(message_id, actor, "delete", can, of_others=of_others)
    if row["deleted_at"] is not None:
        return
    database.execute(
        "UPDATE messages SET deleted_at = :at, edited_by = :by WHERE id = :id",
        at=change.at,
        by=received.editor(actor),
        id=message_id,
    )
    unanswered.recompute(change)
    change.record(MessageDeleted(message_id=message_id, by=actor.kind))
    outgoing.change_sent(change, message_id, "delete")
    change.save()


def is_own(row: Mapping[str, Any], actor: Actor) -> bool:
    """Return True if the actor wrote the message. What a rule of a life cycle wrote is nobody's own."""
    kind, author_id, _ = messages.actor_author(actor)
    return author_id is not None and (row["author_kind"], row["author_id"]) == (kind, author_id)


def _locked(
    message_id: UUID, actor: Actor, operation: Operation, can: Can, *, of_others: bool
) -> tuple[TicketChange, MessageRow]:
    """Lock the rows of the deliveries and of the ticket, in the sender's order, and return the message if it may be
    corrected.
    """
    deliveries = database.run(
        "SELECT channel, state, external_id FROM deliveries WHERE message_id = :id AND operation = 'send' ORDER BY"
        " id FOR_UPDATE",
        id=message_id,
    )
    change = holding.change_of(message_id, actor=actor)
    row = conversations.get(message_id)
    if row["direction"] != "outbound" or row["author_kind"] == "third_party":
        raise CannotCorrect("only our own messages can be changed; those of others stay as they were said")
    if not of_others and not is_own(row, actor):
        raise NotYourMessage()
    for delivery in deliveries:
        if delivery["state"] == "sending":
            raise CannotCorrect("the message is being sent at this moment; try again")
        if delivery["state"] == "unknown" and delivery["external_id"] is None:
            raise CannotCorrect(
                "it is not known whether the message arrived, so it can be neither changed nor taken back there"
            )
        if delivery["state"] in ("sent", "unknown") and operation not in can(delivery["channel"]):
            raise CannotCorrect(f"a message that was sent by {delivery['channel']} cannot be changed any more")
    return change, row


def show_anew(account: ChannelAccount, external_id: str) -> None:
    """Edit a sent message of ours so that it shows its present buttons. Joins the caller's transaction."""
    row = database.one(
        "SELECT m.id FROM message_references AS r JOIN messages AS m ON m.id = r.message_id AND"
        " m.direction = 'outbound'"
        " WHERE r.channel = :channel AND r.account = :account AND r.external_id = :id AND m.deleted_at IS NULL",
        channel=account.channel,
        account=account.name,
        id=external_id,
    )
    if row is None:
        return
    message = Message.converted(row)
    change = holding.change_of(message["id"], actor=SYSTEM)
    outgoing.change_sent(change, message["id"], "edit")
    change.save(visible=False)
