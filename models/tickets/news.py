"""Finds the events of a change that concern users. It must stay cheap, because every change of a ticket asks it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from models.events.commands import Actor
from models.events.payload import EventPayload
from models.events.ticket_payloads import (
    DeliveryFailed,
    MessageAdded,
    MessageReceived,
    NoteAdded,
    TicketAssigned,
    TicketCreated,
    TicketStateChanged,
    TicketUpdated,
    TicketWoken,
)
from models.events.workflow_payloads import SlaBreached
from models.notice_settings import commands as notice_settings
from models.tickets.tables import Ticket


def of_interest(ticket: Ticket, events: Sequence[tuple[UUID, EventPayload, Actor]]) -> list[UUID]:
    """Return the ids of the events that users may get a notice of (`models/notices/recipients.py` decides)."""
    found = [event_id for event_id, event, actor in events if _concerns(event, actor)]
    if ticket.follower_count:
        found += [event_id for event_id, event, _ in events if _concerns_followers(event)]
    arrivals = [event_id for event_id, event, _ in events if _is_arrival(event)]
    if arrivals and _is_open_work(ticket):
        # A ticket that is opened and moved to a team in one change is news once.
        found.append(arrivals[-1])
    return found


def _concerns(event: EventPayload, actor: Actor) -> bool:
    if isinstance(event, TicketAssigned):
        return event.to is not None and str(event.to) != actor.id
    return isinstance(event, DeliveryFailed | SlaBreached | TicketWoken)


def _concerns_followers(event: EventPayload) -> bool:
    """Return True if a person wrote a message or a note, or the ticket moved to another state."""
    if isinstance(event, MessageReceived):
        return event.by_machine is not True
    if isinstance(event, MessageAdded):
        return not event.automatic
    return isinstance(event, NoteAdded | TicketStateChanged)


def _is_arrival(event: EventPayload) -> bool:
    """Return True if the event opens a ticket, moves it to another team or takes it from its assignee."""
    if isinstance(event, TicketAssigned):
        return event.to is None
    return isinstance(event, TicketCreated) or (isinstance(event, TicketUpdated) and "team" in event.changes)


def _is_open_work(ticket: Ticket) -> bool:
    if ticket.assignee_id is not None or ticket.category in ("done", "closed"):
        return False
    return ticket.team is not None or notice_settings.anybody_wants_work_without_team()
