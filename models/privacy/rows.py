"""The rows that belong to a person, for the export and the erasure.

A ticket is its requester's, with the staff's messages in it. A message of a requester is its author's, also in another
person's ticket. An event is its author's, by the index of the inbox. Nothing is found by a search for an address in a
text, which finds other people's rows and misses encoded addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import peewee

from models.bulk.tables import BulkItem
from models.conversations.tables import (
    Conversation,
    Message,
    MessageReference,
    MessageWholeHtml,
    TicketParticipant,
    UnreachableChat,
)
from models.deliveries.tables import Button, Delivery, DeliveryAttempt
from models.dialogues.tables import TransitionDialogue
from models.drafts.tables import Draft
from models.events.tables import EventRow
from models.inbox.tables import InboxEvent, InboxPerson
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.table import Table
from models.notices.tables import Notice
from models.ports import channel_facts
from models.requesters.tables import Identity, Requester, RequesterCode, RequesterLink, RequesterMerge
from models.search.tables import SearchDocument
from models.side_conversations.tables import SideConversation, SideMessage
from models.staff.tables import UserAddress
from models.subscriptions.tables import WebhookAttempt, WebhookDelivery
from models.ticket_actions.sorting.tables import TicketBin, TimeEntry
from models.ticket_workflow.tables import Approval, ApprovalVote, Decision, Rating
from models.tickets.tables import Ticket
from models.undo.tables import Undo

_NOBODY = peewee.SQL("1 = 0")


@dataclass(frozen=True)
class Person:
    """A requester with all requesters that were merged into them, and their addresses by channel."""

    requester_ids: tuple[UUID, ...]
    addresses: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, requester_id: UUID) -> Person:
        """Raises NotFound."""
        if not Requester.select().where(Requester.id == requester_id).exists():
            raise NotFound(f"there is no requester {requester_id}")
        found, newest = {requester_id}, {requester_id}
        while newest:
            merged = Requester.select(Requester.id).where(Requester.merged_into.in_(sorted(newest)))
            newest = {row["id"] for row in database.rows(merged)} - found
            found |= newest
        ids = tuple(sorted(found))
        owned = Identity.select(Identity.channel, Identity.address).where(Identity.requester_id.in_(ids))
        addresses: dict[str, tuple[str, ...]] = {}
        for row in database.rows(owned.order_by(Identity.channel, Identity.address)):
            addresses[row["channel"]] = (*addresses.get(row["channel"], ()), row["address"])
        return cls(ids, addresses)

    def owns(self, channel: str, address: str) -> bool:
        """Return True for an address of the person, and for a chat that is theirs alone."""
        facts = channel_facts.of(channel)
        mine = self.addresses.get(channel, ())
        return facts.comparable(address) in mine or facts.person_of(address) in mine

    def at(self, channel: Any, address: Any) -> Any:
        """Return the condition that two columns hold an address of the person."""
        return _any((channel == name) & address.in_(mine) for name, mine in self.addresses.items())

    @cached_property
    def ticket_ids(self) -> list[UUID]:
        """The person's tickets, and the tickets that their life cycles made for nobody."""
        own = Ticket.select(Ticket.id).where(Ticket.requester_id.in_(self.requester_ids)).order_by(Ticket.id)
        found = newest = [row["id"] for row in database.rows(own)]
        while newest:
            made = EventRow.select(EventRow.payload).where(
                EventRow.aggregate_id.in_(newest), EventRow.event_type == "linked_ticket_made"
            )
            ids = [UUID(row["payload"]["ticket_id"]) for row in database.rows(made)]
            without = Ticket.select(Ticket.id).where(Ticket.id.in_(ids), Ticket.requester_id.is_null())
            newest = [row["id"] for row in database.rows(without) if row["id"] not in found]
            found = [*found, *newest]
        return found

    @cached_property
    def _messages(self) -> Any:
        """The condition of messages that the person wrote, in any ticket, and of the desk's in the person's tickets."""
        by_requester = (Message.author_kind == "requester") & Message.author_id.is_null(False)
        by_another = by_requester & Message.author_id.not_in(self.requester_ids)
        written = by_requester & Message.author_id.in_(self.requester_ids)
        # A merge may have moved the desk's answers to the person into another person's ticket.
        in_own = Message.ticket_id.in_(self.ticket_ids) | Message.moved_from.in_(self.ticket_ids)
        answers = (
            SideMessage.select(SideMessage.message_id)
            .join(SideConversation, on=SideConversation.id == SideMessage.side_id)
            .where(SideMessage.is_answer, self.at(SideConversation.channel, SideConversation.address))
        )
        as_third_party = Message.id.in_(answers) if self.addresses else _NOBODY
        return (in_own & ~by_another) | written | as_third_party

    @cached_property
    def side_conversation_ids(self) -> list[UUID]:
        """The side conversations about the person's tickets, and those with the person as the third party."""
        about = SideConversation.first_message_id.in_(Message.select(Message.id).where(self._messages))
        mine = about | self.at(SideConversation.channel, SideConversation.address)
        query = SideConversation.select(SideConversation.id).where(mine).order_by(SideConversation.id)
        return [row["id"] for row in database.rows(query)]

    @cached_property
    def message_ids(self) -> list[UUID]:
        query = Message.select(Message.id).where(self._messages).order_by(Message.created_at, Message.id)
        return [row["id"] for row in database.rows(query)]

    @cached_property
    def others_message_ids(self) -> list[UUID]:
        """The messages of other requesters in the person's tickets."""
        query = Message.select(Message.id).where(Message.ticket_id.in_(self.ticket_ids), ~self._messages)
        return [row["id"] for row in database.rows(query)]

    @cached_property
    def inbox_ids(self) -> list[UUID]:
        """The events of the person, of their messages, and of the desk in their tickets."""
        messages = Message.select(Message.id).where(self._messages)
        sources = Message.select(Message.inbox_id).where(self._messages, Message.inbox_id.is_null(False))
        shared = InboxPerson.select(InboxPerson.inbox_id).where(self.at(InboxPerson.channel, InboxPerson.address))
        by_another = peewee.fn.EXISTS(
            Identity.select(peewee.Value(1)).where(
                Identity.channel == InboxEvent.channel,
                Identity.address == InboxEvent.author_address,
                Identity.requester_id.not_in(self.requester_ids),
            )
        )
        by_staff = peewee.fn.EXISTS(
            UserAddress.select(peewee.Value(1)).where(
                UserAddress.channel == InboxEvent.channel, UserAddress.address == InboxEvent.author_address
            )
        )
        of_desk = (by_staff | ~by_another) & (InboxEvent.message_id.is_null() | InboxEvent.message_id.in_(messages))
        query = InboxEvent.select(InboxEvent.id).where(
            self.at(InboxEvent.channel, InboxEvent.author_address)
            | InboxEvent.id.in_(shared)
            | InboxEvent.id.in_(sources)
            | (InboxEvent.ticket_id.in_(self.ticket_ids) & of_desk)
        )
        return [row["id"] for row in database.rows(query.order_by(InboxEvent.received_at, InboxEvent.id))]

    @cached_property
    def delivery_ids(self) -> list[UUID]:
        """The deliveries of the messages, and those to an address of the person."""
        messages = Message.select(Message.id).where(self._messages)
        mine = Delivery.message_id.in_(messages) | self.at(Delivery.channel, Delivery.address)
        query = Delivery.select(Delivery.id).where(mine).order_by(Delivery.created_at, Delivery.id)
        return [row["id"] for row in database.rows(query)]

    @cached_property
    def approval_ids(self) -> list[UUID]:
        return [
            row["id"]
            for row in database.rows(Approval.select(Approval.id).where(Approval.ticket_id.in_(self.ticket_ids)))
        ]

    @cached_property
    def event_ids(self) -> list[UUID]:
        """The events of the history of the person and of their tickets."""
        of_tickets = (EventRow.aggregate == "ticket") & EventRow.aggregate_id.in_(self.ticket_ids)
        mine = of_tickets | self.own_events
        return [row["event_id"] for row in database.rows(EventRow.select(EventRow.event_id).where(mine))]

    @property
    def own_events(self) -> Any:
        """The condition of the events of the person, and of those who were merged into them."""
        return (EventRow.aggregate == "requester") & EventRow.aggregate_id.in_(self.requester_ids)

    @cached_property
    def participants(self) -> Any:
        """The condition of participants: the person everywhere, in their tickets also who never wrote there."""
        wrote = peewee.fn.EXISTS(
            Identity.select(peewee.Value(1))
            .join(Message, on=(Message.author_id == Identity.requester_id))
            .where(
                Message.ticket_id == TicketParticipant.ticket_id,
                Message.author_kind == "requester",
                Identity.channel == TicketParticipant.channel,
                Identity.address == TicketParticipant.address,
                Identity.requester_id.not_in(self.requester_ids),
            )
        )
        in_own = TicketParticipant.ticket_id.in_(self.ticket_ids) & ~wrote
        return in_own | self.at(TicketParticipant.channel, TicketParticipant.address)

    def chats(self, table: type[Conversation | UnreachableChat]) -> list[JsonObject]:
        """Return the rows of a table of chats that are the person's alone."""
        return [
            row
            for name, mine in self.addresses.items()
            for row in database.rows(
                table.select().where(
                    table.channel == name,
                    _any(table.address.startswith(one) | table.address.endswith(f"#{one}") for one in mine),
                )
            )
            if self.owns(name, row["address"])
        ]


def _any(conditions: Iterable[Any]) -> Any:
    found = _NOBODY
    for condition in conditions:
        found = found | condition if found is not _NOBODY else condition
    return found


@dataclass(frozen=True)
class Rows:
    """The person's rows of one table: those whose `column` is one of `ids`. `section`: their name in the export."""

    section: str
    table: type[Table]
    column: Any
    ids: Callable[[Person], Sequence[UUID]]


# Rows that an erasure empties column by column, as the register says.
EMPTIED: tuple[Rows, ...] = (
    Rows("messages", Message, Message.id, lambda person: person.message_ids),
    Rows("deliveries", Delivery, Delivery.id, lambda person: person.delivery_ids),
    Rows("delivery_attempts", DeliveryAttempt, DeliveryAttempt.delivery_id, lambda person: person.delivery_ids),
    Rows("side_conversations", SideConversation, SideConversation.id, lambda person: person.side_conversation_ids),
    Rows("time_entries", TimeEntry, TimeEntry.ticket_id, lambda person: person.ticket_ids),
    Rows("ticket_bin", TicketBin, TicketBin.ticket_id, lambda person: person.ticket_ids),
    Rows("ratings", Rating, Rating.ticket_id, lambda person: person.ticket_ids),
    Rows("notices", Notice, Notice.ticket_id, lambda person: person.ticket_ids),
    Rows("approvals", Approval, Approval.ticket_id, lambda person: person.ticket_ids),
    Rows("approval_votes", ApprovalVote, ApprovalVote.approval_id, lambda person: person.approval_ids),
    Rows("decisions", Decision, Decision.ticket_id, lambda person: person.ticket_ids),
    Rows("merges", RequesterMerge, RequesterMerge.target_id, lambda person: person.requester_ids),
    Rows("merges", RequesterMerge, RequesterMerge.source_id, lambda person: person.requester_ids),
    Rows("webhook_deliveries", WebhookDelivery, WebhookDelivery.event_id, lambda person: person.event_ids),
    Rows("webhook_attempts", WebhookAttempt, WebhookAttempt.event_id, lambda person: person.event_ids),
)
# Rows that an erasure deletes.
DELETED: tuple[Rows, ...] = (
    Rows("whole_html", MessageWholeHtml, MessageWholeHtml.message_id, lambda person: person.message_ids),
    Rows("references", MessageReference, MessageReference.message_id, lambda person: person.message_ids),
    Rows("dialogues", TransitionDialogue, TransitionDialogue.ticket_id, lambda person: person.ticket_ids),
    Rows("buttons", Button, Button.ticket_id, lambda person: person.ticket_ids),
    Rows("buttons", Button, Button.requester_id, lambda person: person.requester_ids),
    Rows("drafts", Draft, Draft.ticket_id, lambda person: person.ticket_ids),
    Rows("bulk items", BulkItem, BulkItem.ticket_id, lambda person: person.ticket_ids),
    Rows("undos", Undo, Undo.ticket_id, lambda person: person.ticket_ids),
    Rows("undos", Undo, Undo.other_ticket_id, lambda person: person.ticket_ids),
    Rows("links", RequesterLink, RequesterLink.requester_id, lambda person: person.requester_ids),
    Rows("codes", RequesterCode, RequesterCode.requester_id, lambda person: person.requester_ids),
    Rows("search", SearchDocument, SearchDocument.ticket_id, lambda person: person.ticket_ids),
    Rows("identities", Identity, Identity.requester_id, lambda person: person.requester_ids),
)


def parts(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Return the ids in parts that a statement can bind."""
    for start in range(0, len(ids), _ids_at_once):
        yield ids[start : start + _ids_at_once]


_ids_at_once = 500  # SQLite binds at most 32,766 values in a statement
