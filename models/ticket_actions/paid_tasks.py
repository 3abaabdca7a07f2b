"""Tasks that were paid, as accountants see them: number, type, title and description, and no conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from models.conversations.tables import Message
from models.events.tables import EventRow
from models.kernel.errors import NotFound
from models.tickets import queries
from models.tickets.tables import Ticket

# The events of a fee and of a reward (the index `events_paid`).
_PAID: Final = ("fee_charged", "reward_granted")


@dataclass(frozen=True, slots=True)
class PaidTask:
    """A ticket with a fee or a reward."""

    id: UUID
    number: int
    type: str
    title: str
    description: str | None


def page(*, before: int | None, limit: int) -> list[PaidTask]:
    """List the paid tasks of all teams before a number, newest first."""
    query = Ticket.select(Ticket.id, Ticket.number, Ticket.type, Ticket.title).where(_is_paid())
    if before is not None:
        query = query.where(Ticket.number < before)
    return _tasks(list(query.order_by(Ticket.number.desc()).limit(limit)))


def get(reference: str) -> PaidTask:
    """Read a paid task by id or number. Raises NotFound, also for a ticket that was not paid."""
    ticket = queries.find(reference)
    if not Ticket.select(Ticket.id).where(Ticket.id == ticket.id, _is_paid()).exists():
        raise NotFound(f"there is no paid task {reference[:40]!r}")
    return _tasks([ticket])[0]


def _is_paid() -> Any:
    paid = EventRow.select(EventRow.aggregate_id).where(EventRow.event_type.in_(_PAID))
    return Ticket.id.in_(paid)


def _tasks(tickets: list[Ticket]) -> list[PaidTask]:
    descriptions = _descriptions([ticket.id for ticket in tickets])
    return [PaidTask(one.id, one.number, one.type, one.title, descriptions.get(one.id)) for one in tickets]


def _descriptions(ticket_ids: list[UUID]) -> dict[UUID, str]:
    """The descriptions with which tickets were created over the API or the console: their first messages."""
    if not ticket_ids:
        return {}
    rows = Message.select(Message.ticket_id, Message.body).where(
        Message.ticket_id.in_(ticket_ids), Message.sequence == 1, Message.channel == "api", Message.kind == "reply"
    )
    return {row.ticket_id: row.body for row in rows.where(Message.direction == "inbound")}
