"""Purge tickets of the bin: their content goes as the register says, their numbers, states and dates stay.

The tickets that were merged into a purged one are purged with it, because they hold the title, the contact and the
first events of the same matter. Reports and sums still count a purged ticket. A requester's other tickets, addresses
and rights are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import peewee

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.conversations.tables import Message, TicketParticipant
from models.deliveries.tables import Delivery
from models.events.commands import SYSTEM, Actor
from models.events.ticket_payloads import TicketPurged
from models.inbox.tables import InboxEvent
from models.kernel import clock, settings
from models.kernel.errors import Conflict, Contention
from models.kernel.storage import database
from models.kernel.text import ERASED
from models.privacy import erasure, free_pages
from models.privacy.rows import Person
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange

purge_batch_max = 20  # tickets of one run of the housekeeping; each is a transaction of some 20 statements


class NotInBin(Conflict):
    """Only a ticket in the bin can be purged; delete it first."""

    code = "not_in_bin"


@dataclass(frozen=True)
class TicketContent(Person):
    """The rows of a ticket and of the tickets that were merged into it, whoever wrote them."""

    all_ids: tuple[UUID, ...]

    @classmethod
    def of_tickets(cls, ticket_ids: Sequence[UUID]) -> TicketContent:
        return cls((), {}, tuple(ticket_ids))

    @cached_property
    def ticket_ids(self) -> list[UUID]:
        return list(self.all_ids)

    @cached_property
    def _messages(self) -> Any:
        return Message.ticket_id.in_(self.ticket_ids)

    @cached_property
    def inbox_ids(self) -> list[UUID]:
        sources = Message.select(Message.inbox_id).where(self._messages, Message.inbox_id.is_null(False))
        of_tickets = InboxEvent.id.in_(sources) | InboxEvent.ticket_id.in_(self.ticket_ids)
        return [row["id"] for row in database.rows(InboxEvent.select(InboxEvent.id).where(of_tickets))]

    @cached_property
    def delivery_ids(self) -> list[UUID]:
        query = Delivery.select(Delivery.id).where(Delivery.ticket_id.in_(self.ticket_ids))
        return [row["id"] for row in database.rows(query)]

    @cached_property
    def participants(self) -> Any:
        return TicketParticipant.ticket_id.in_(self.ticket_ids)


def purge(ticket_id: UUID, *, actor: Actor) -> Ticket:
    """Remove the content of a ticket in the bin, and of the tickets that were merged into it. It cannot be undone.

    Joins the caller's transaction. Raises NotFound, NotInBin, and Contention when a merge or its undo committed
    meanwhile. A ticket whose content is gone stays as it is.
    """
    free_pages.overwrite()
    sources = _merged_into(ticket_id)
    erasure.empty_events(TicketContent.of_tickets([*sources, ticket_id]))
    # A merged ticket before its target, as a message that is forwarded locks them.
    changes = [TicketChange.of_exactly(one, actor=actor) for one in (*sources, ticket_id)]
    target = changes[-1].ticket
    if target.binned_at is None:
        raise NotInBin()
    if _merged_into(ticket_id) != sources:
        raise Contention()
    left = [change for change in changes if change.ticket.binned_as != "purged"]
    if not left:
        return target
    with erasure.emptied(TicketContent.of_tickets([change.ticket.id for change in changes])):
        for change in left:
            _empty(change, binned_at=target.binned_at)
    for change in left:
        audit.record(AuditAction.ticket_purged, "ticket", change.ticket.id)
    return target


def _merged_into(ticket_id: UUID) -> list[UUID]:
    """Return the tickets that were merged into a ticket, over any number of merges, each before its target."""
    found: list[UUID] = []
    newest = [ticket_id]
    while newest:
        query = Ticket.select(Ticket.id).where(Ticket.merged_into.in_(newest)).order_by(Ticket.id)
        newest = [row["id"] for row in database.rows(query)]
        found = [*newest, *found]
    return found


def _empty(change: TicketChange, *, binned_at: datetime) -> None:
    ticket = change.ticket
    ticket.title, ticket.fields, ticket.snooze_note = ERASED, {}, None
    ticket.contact_channel = ticket.contact_account = ticket.contact_address = None
    # A merged ticket was not in the bin itself.
    ticket.binned_at, ticket.binned_as = ticket.binned_at or binned_at, "purged"
    change.record(TicketPurged())
    change.save()


def purge_due() -> int:
    """Purge the tickets that have been in the bin for `BIN_DAYS`; return their number.

    Each is purged in a transaction of its own. Earlier releases left the content of merged tickets behind a purge of
    their target; it is removed as well.
    """
    before = clock.now() - timedelta(days=settings.current().bin_days)
    source = Ticket.alias()
    left_behind = peewee.fn.EXISTS(
        source.select(peewee.Value(1)).where(source.merged_into == Ticket.id, source.binned_as.is_null())
    )
    is_due = (Ticket.binned_as != "purged") | left_behind
    with database.connection():
        query = Ticket.select(Ticket.id).where(
            Ticket.binned_at.is_null(False), Ticket.binned_at < before, Ticket.merged_into.is_null(), is_due
        )
        due = [row["id"] for row in database.rows(query.order_by(Ticket.binned_at).limit(purge_batch_max))]
    for ticket_id in due:
        with database.transaction():
            purge(ticket_id, actor=SYSTEM)
    return len(due)
