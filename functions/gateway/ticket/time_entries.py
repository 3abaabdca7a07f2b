"""/v1/tickets/{ticket}/time_entries: the minutes that people spent on a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Comment
from models.identity import queries as identity
from models.identity.rules import Permission
from models.ticket_actions.sorting import limits, time_spent
from models.ticket_actions.sorting.time_spent import Entry

operations = Operations()

Minutes = Annotated[int, msgspec.Meta(ge=1, le=limits.minutes_max)]


class TimeWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The minutes that the caller spent, with a note."""

    minutes: Minutes
    note: Comment | None = None


class TimeEntryShown(msgspec.Struct):
    """The minutes that a person spent on the ticket."""

    id: UUID
    user: show.Person
    minutes: int
    note: str | None
    created_at: datetime
    updated_at: datetime


class TimeEntries(msgspec.Struct):
    """The time entries of a ticket, oldest first, with their sum."""

    items: list[TimeEntryShown]
    minutes_spent: int


def _shown(entry: Entry, names: dict[UUID, str]) -> TimeEntryShown:
    person = show.Person(entry.user_id, names.get(entry.user_id, ""))
    return TimeEntryShown(entry.id, person, entry.minutes, entry.note, entry.created_at, entry.updated_at)


def _entry_id(call: AnyCall) -> UUID:
    return pages.id_of(call.params["entry"], "time entry")


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/time_entries",
    summary="List a ticket's time entries",
    needs=Permission.tickets_read,
    answers={200: TimeEntries},
    problems=(404,),
)
def list_time_entries(call: Call) -> Answer:
    """Oldest first, with the sum of the minutes."""
    ticket = ticket_of(call)
    entries = time_spent.of_ticket(ticket.id)
    names = identity.names_of({entry.user_id for entry in entries})
    return Answer(TimeEntries([_shown(entry, names) for entry in entries], ticket.minutes_spent))


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/time_entries",
    summary="Record time spent on a ticket",
    needs=Permission.tickets_write,
    body=TimeWanted,
    answers={201: TimeEntryShown},
    problems=(404, 409),
)
def add_time_entry(call: Call[TimeWanted]) -> Answer:
    """The minutes count for the caller; those of an API key for its owner."""
    entry = time_spent.add(
        ticket_of(call).id,
        minutes=call.body.minutes,
        note=call.body.note,
        user_id=call.caller.owner_id,
        actor=call.caller.actor,
    )
    return Answer(_shown(entry, identity.names_of({entry.user_id})), status=201)


@operations.add(
    "PUT",
    "/v1/tickets/{ticket}/time_entries/{entry}",
    summary="Correct a time entry",
    needs=Permission.tickets_write,
    body=TimeWanted,
    answers={200: TimeEntryShown},
    problems=(403, 404, 409),
)
def correct_time_entry(call: Call[TimeWanted]) -> Answer:
    """Only the person who spent the time corrects the entry. The history shows the minutes before."""
    entry = time_spent.correct(
        ticket_of(call).id,
        _entry_id(call),
        minutes=call.body.minutes,
        note=call.body.note,
        user_id=call.caller.owner_id,
        actor=call.caller.actor,
    )
    return Answer(_shown(entry, identity.names_of({entry.user_id})))


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/time_entries/{entry}",
    summary="Remove a time entry",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(403, 404, 409),
)
def remove_time_entry(call: Call) -> Answer:
    """Only the person who spent the time removes the entry. The history keeps the minutes."""
    time_spent.remove(ticket_of(call).id, _entry_id(call), user_id=call.caller.owner_id, actor=call.caller.actor)
    return Answer(None, status=204)
