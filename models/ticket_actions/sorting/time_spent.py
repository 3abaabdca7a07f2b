"""Time spent on tickets: minutes with a note, by ticket and person. Commands join the caller's transaction.

The ticket keeps the sum, because lists show it and a transition may require it (`requires: [time_spent]`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.events.commands import Actor
from models.events.ticket_payloads import TimeEntryAdded, TimeEntryChanged, TimeEntryRemoved
from models.kernel.errors import Conflict, Forbidden, NotFound
from models.kernel.ids import new_id
from models.kernel.storage.table import RowView
from models.ticket_actions.sorting import limits
from models.ticket_actions.sorting.tables import TimeEntry
from models.tickets.ticket_change import TicketChange


class NotYourTimeEntry(Forbidden):
    """Only the person who spent the time can correct the entry."""

    code = "not_your_time_entry"


@dataclass(frozen=True, slots=True)
class Entry:
    """The minutes that a user spent on a ticket."""

    id: UUID
    ticket_id: UUID
    user_id: UUID
    minutes: int
    note: str | None
    created_at: datetime
    updated_at: datetime


_ENTRY = RowView(Entry, TimeEntry)


def of_ticket(ticket_id: UUID) -> list[Entry]:
    """List the entries of a ticket, oldest first."""
    query = TimeEntry.select(*_ENTRY.fields).where(TimeEntry.ticket_id == ticket_id)
    return _ENTRY.all(query.order_by(TimeEntry.id).limit(limits.time_entries_max))


def find(ticket_id: UUID, entry_id: UUID) -> Entry:
    """Read an entry of a ticket. Raises NotFound."""
    query = TimeEntry.select(*_ENTRY.fields).where(TimeEntry.ticket_id == ticket_id, TimeEntry.id == entry_id)
    for entry in _ENTRY.all(query):
        return entry
    raise NotFound(f"there is no time entry {entry_id} of this ticket")


def add(
    ticket_id: UUID,
    *,
    minutes: int,
    note: str | None,
    user_id: UUID,
    actor: Actor,
    expected_version: int | None = None,
) -> Entry:
    """Record the minutes that a user spent on a ticket. Raises Conflict beyond the bound, PreconditionFailed."""
    change = TicketChange.of(ticket_id, actor=actor)
    change.expect_version(expected_version)
    if TimeEntry.select().where(TimeEntry.ticket_id == ticket_id).count() >= limits.time_entries_max:
        raise Conflict(f"expected at most {limits.time_entries_max} time entries of a ticket")
    entry = Entry(new_id(), ticket_id, user_id, minutes, note, change.at, change.at)
    TimeEntry.insert(
        id=entry.id,
        ticket_id=ticket_id,
        user_id=user_id,
        minutes=minutes,
        note=note,
        created_at=change.at,
        updated_at=change.at,
    ).execute()
    change.ticket.minutes_spent += minutes
    change.record(TimeEntryAdded(entry_id=entry.id, user_id=user_id, minutes=minutes))
    change.save()
    return entry


def correct(ticket_id: UUID, entry_id: UUID, *, minutes: int, note: str | None, user_id: UUID, actor: Actor) -> Entry:
    """Correct an entry of the user's own. Raises NotFound, NotYourTimeEntry."""
    change = TicketChange.of(ticket_id, actor=actor)
    before = _own(ticket_id, entry_id, user_id)
    if (before.minutes, before.note) == (minutes, note):
        return before
    TimeEntry.update(minutes=minutes, note=note, updated_at=change.at).where(TimeEntry.id == entry_id).execute()
    change.ticket.minutes_spent += minutes - before.minutes
    change.record(TimeEntryChanged(entry_id=entry_id, minutes_before=before.minutes, minutes=minutes))
    change.save()
    return find(ticket_id, entry_id)


def remove(ticket_id: UUID, entry_id: UUID, *, user_id: UUID, actor: Actor) -> None:
    """Remove an entry of the user's own. Raises NotFound, NotYourTimeEntry."""
    change = TicketChange.of(ticket_id, actor=actor)
    before = _own(ticket_id, entry_id, user_id)
    TimeEntry.delete().where(TimeEntry.id == entry_id).execute()
    change.ticket.minutes_spent -= before.minutes
    change.record(TimeEntryRemoved(entry_id=entry_id, minutes=before.minutes))
    change.save()


def _own(ticket_id: UUID, entry_id: UUID, user_id: UUID) -> Entry:
    entry = find(ticket_id, entry_id)
    if entry.user_id != user_id:
        raise NotYourTimeEntry()
    return entry
