"""Purge tickets of the bin: their content goes as the register says, their numbers, states and dates stay.

Reports and sums still count a purged ticket. A requester's other tickets, addresses and rights are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.conversations.tables import Message, TicketParticipant
from models.deliveries.tables import Delivery
from models.events.commands import SYSTEM, Actor
from models.events.ticket_payloads import TicketPurged
from models.inbox.tables import InboxEvent
from models.kernel import clock, settings
from models.kernel.errors import Conflict
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
    """The rows of one ticket, whoever wrote them."""

    ticket_id: UUID

    @cached_property
    def ticket_ids(self) -> list[UUID]:
        return [self.ticket_id]

    @cached_property
    def _messages(self) -> Any:
        return Message.ticket_id == self.ticket_id

    @cached_property
    def inbox_ids(self) -> list[UUID]:
        sources = Message.select(Message.inbox_id).where(self._messages, Message.inbox_id.is_null(False))
        of_ticket = InboxEvent.id.in_(sources) | (InboxEvent.ticket_id == self.ticket_id)
        return [row["id"] for row in database.rows(InboxEvent.select(InboxEvent.id).where(of_ticket))]

    @cached_property
    def delivery_ids(self) -> list[UUID]:
        query = Delivery.select(Delivery.id).where(Delivery.ticket_id == self.ticket_id)
        return [row["id"] for row in database.rows(query)]

    @cached_property
    def participants(self) -> Any:
        return TicketParticipant.ticket_id == self.ticket_id


def purge(ticket_id: UUID, *, actor: Actor) -> Ticket:
    """Remove the content of a ticket in the bin. It cannot be undone. Joins the caller's transaction.

    Raises NotFound, NotInBin. A purged ticket stays as it is.
    """
    free_pages.overwrite()
    erasure.empty_events(TicketContent((), {}, ticket_id))
    change = TicketChange.of_exactly(ticket_id, actor=actor)
    ticket = change.ticket
    if ticket.binned_at is None:
        raise NotInBin()
    if ticket.binned_as == "purged":
        return ticket
    content = TicketContent((), {}, ticket_id)
    with erasure.emptied(content):
        ticket.title, ticket.fields, ticket.binned_as = ERASED, {}, "purged"
        ticket.contact_channel = ticket.contact_account = ticket.contact_address = None
        change.record(TicketPurged())
        change.save()
    audit.record(AuditAction.ticket_purged, "ticket", ticket_id)
    return ticket


def purge_due() -> int:
    """Purge the tickets that have been in the bin for `BIN_DAYS`; return their number.

    Each is purged in a transaction of its own.
    """
    before = clock.now() - timedelta(days=settings.current().bin_days)
    with database.connection():
        query = Ticket.select(Ticket.id).where(
            Ticket.binned_at.is_null(False), Ticket.binned_at < before, Ticket.binned_as != "purged"
        )
        due = [row["id"] for row in database.rows(query.order_by(Ticket.binned_at).limit(purge_batch_max))]
    for ticket_id in due:
        with database.transaction():
            purge(ticket_id, actor=SYSTEM)
    return len(due)
