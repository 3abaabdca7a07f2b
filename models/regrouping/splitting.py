"""The split of a ticket: chosen messages move to a new ticket, which is linked with the first one.

Later answers to the moved messages join the new ticket, because the ids of a message move with it. Commands join the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.conversations import queries as conversations
from models.conversations.tables import Conversation, Message
from models.deliveries.tables import Delivery
from models.events.commands import Actor
from models.events.sorting_payloads import TicketSplit, TicketSplitFrom
from models.kernel.errors import Conflict, FieldProblem, Invalid
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.regrouping import carried, moved_messages, standstill
from models.requesters import commands as requesters
from models.requesters import queries as people
from models.teams import queries as teams
from models.ticket_actions import commands as tickets
from models.ticket_workflow import steps
from models.ticket_workflow.people_acts import explain
from models.ticket_workflow.tables import TicketLink
from models.tickets import ticket_fields
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.undo import commands as undo
from models.workflow.instance import MessageView

KIND = "split"
LINK = "split_from"
# The reason in `message.automatic`: the desk answers nobody automatically for an act of an agent.
_AUTOMATIC = "split"


class SplitRefused(Conflict):
    """The ticket cannot be split."""

    code = "split_refused"


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to split: the messages that move, and the values of the new ticket that differ from the first one.

    `requester`: that of the first ticket, or the author of the first moved message of a requester.
    """

    message_ids: Sequence[UUID]
    title: str
    type: str | None = None
    team: str | None = None
    requester: Literal["same", "author"] = "same"


def split(ticket_id: UUID, wish: Wish, *, actor: Actor, expected_version: int | None = None) -> tuple[UUID, UUID]:
    """Split a ticket; return the ids of the new ticket and of the undo.

    Raises SplitRefused with the reason, TicketMerged, PreconditionFailed, and Invalid for messages of another ticket.
    """
    moved = Message.id.in_(list(wish.message_ids))
    moved_messages.lock_chats(Conversation.ticket_id == ticket_id)
    moved_messages.lock_deliveries(Delivery.message_id.in_(list(wish.message_ids)))
    source = TicketChange.of(ticket_id, actor=actor)
    source.expect_version(expected_version)
    ids = _check(source.ticket, wish)
    opening = _opening(ids)
    made = _open(source, wish, actor)
    target = TicketChange.of_exactly(made, actor=actor)
    chats = _move_chats(source.ticket.id, target.ticket.id, ids)
    standstill.drop_reactions(source, ids)
    carried.add_followers(source, target)
    carried.add_participants(source, target)
    moved_messages.move(source, target, ids)
    answered = first(Message.select(Message.created_at).where(moved, Message.author_kind == "agent", _IS_REPLY))
    target.ticket.first_response_at = None if answered is None else answered["created_at"]
    TicketLink.insert(from_id=made, to_id=ticket_id, kind=LINK, created_at=source.at).execute()
    source.record(TicketSplit(ticket_id=made, number=target.ticket.number, message_ids=ids))
    target.record(TicketSplitFrom(ticket_id=ticket_id, number=source.ticket.number, message_ids=ids))
    for change, other in ((source, target), (target, source)):
        explain(change, KIND, f"the request of {actor.kind}; the other ticket is #{other.ticket.number}")
    # The life cycle of the new ticket begins with the messages in it. It answers nobody, for no message came.
    steps.react(target, "ticket_created", message=opening)
    source.save()
    target.save()
    audit.record(AuditAction.ticket_split, "ticket", ticket_id, after={"into": made, "messages": len(ids)})
    act = {"messages": [str(one) for one in ids], "chats": chats}
    return made, undo.remember(KIND, act, actor=actor, ticket_id=made, other_ticket_id=ticket_id)


_IS_REPLY = Message.kind == "reply"


def _check(ticket: Ticket, wish: Wish) -> list[UUID]:
    """Return the messages in their order."""
    if ticket.binned_at is not None:
        raise SplitRefused(f"Ticket #{ticket.number} is in the bin; restore it first.")
    if wish.team is not None:
        teams.get_or_invalid(wish.team)
    if wish.type is not None:
        ticket_fields.check_type(wish.type)
    own = moved_messages.ids_of(ticket.id)
    problems = [
        FieldProblem(f"/messages/{index}", f"expected the id of a message of ticket #{ticket.number}")
        for index, one in enumerate(wish.message_ids)
        if one not in own
    ]
    if problems:
        raise Invalid(problems)
    if len(set(wish.message_ids)) == len(own):
        raise SplitRefused("At least one message stays in the ticket; to change the whole ticket, update it.")
    wanted = set(wish.message_ids)
    return [one for one in own if one in wanted]


def _opening(ids: Sequence[UUID]) -> MessageView | None:
    """Return the first moved message of a requester, as the life cycle of the new ticket sees it."""
    written = Message.select(Message.id).where(Message.id.in_(list(ids)), Message.author_kind == "requester")
    row = first(written.order_by(Message.sequence))
    if row is None:
        return None
    _, seen = conversations.view(row["id"])
    return {**seen, "automatic": seen["automatic"] or _AUTOMATIC}


def _open(source: TicketChange, wish: Wish, actor: Actor) -> UUID:
    """Open the new ticket without messages, in the first state of its life cycle."""
    old = source.ticket
    type_ = wish.type or old.type
    author = _author(wish) if wish.requester == "author" else None
    requester_id = old.requester_id if author is None else author["author_id"]
    change = tickets.start_new(
        title=wish.title,
        type_=type_,
        priority=old.priority,
        workflow=old.workflow if type_ == old.type else None,
        fields=dict(old.fields) if type_ == old.type else ticket_fields.defaults(type_),
        requester=None if requester_id is None else requesters.by_id(requester_id),
        channel=old.channel if author is None else author["channel"],
        account=old.account if author is None else author["account"],
        actor=actor,
        team=wish.team or old.team,
    )
    ticket = change.ticket
    if requester_id == old.requester_id:
        for name in ("contact_channel", "contact_account", "contact_address", "contact_grade", "author_grade"):
            setattr(ticket, name, getattr(old, name))
    elif author is not None:
        ticket.contact_channel, ticket.contact_account, ticket.contact_address = _contact_of(author)
        ticket.contact_grade = (author["details"].get("author_proof") or {}).get("grade")
    return change.save().id


def _author(wish: Wish) -> database.Row:
    by_requester = (Message.author_kind == "requester") & Message.author_id.is_null(False)
    query = Message.select().where(Message.id.in_(list(wish.message_ids)), by_requester).order_by(Message.sequence)
    row = first(query)
    if row is None:
        raise Invalid([FieldProblem("/requester", "expected same: no requester wrote one of these messages")])
    return row


def _contact_of(message: database.Row) -> tuple[str | None, str | None, str | None]:
    """Return the address of a message's author: that of the mail, else the author's own on the channel."""
    address = message["details"].get("from")
    if address is None:
        known = people.addresses_of(message["author_id"])
        address = next((one for channel, one in known if channel == message["channel"]), None)
    return (None, None, None) if address is None else (message["channel"], message["account"], address)


def _move_chats(source_id: UUID, target_id: UUID, ids: Sequence[UUID]) -> list[str]:
    """Let a chat continue in the new ticket if the last message that came by it moves."""
    found = []
    for chat in database.rows(Conversation.select().where(Conversation.ticket_id == source_id)):
        came = (Message.channel == chat["channel"]) & (Message.account == chat["account"])
        query = Message.select(Message.id).where(Message.ticket_id == source_id, Message.direction == "inbound", came)
        last = first(query.order_by(Message.sequence.desc()))
        if last is not None and last["id"] in ids:
            Conversation.update(ticket_id=target_id).where(Conversation.id == chat["id"]).execute()
            found.append(str(chat["id"]))
    return found
