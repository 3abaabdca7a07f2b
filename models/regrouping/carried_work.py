"""Work of the staff on a merged ticket, which its target takes over: drafts and the time spent.

A merged ticket takes no reply and no correction of a time entry, so a draft would be lost there, and its minutes would
be missing in the sum of the ticket that goes on. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import peewee

from models.drafts.tables import Draft
from models.identity import queries as identity
from models.kernel.storage import database
from models.regrouping.errors import MergeRefused
from models.ticket_actions.sorting import limits
from models.ticket_actions.sorting.tables import TimeEntry
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility import sight
from models.visibility.sight import Sight


def move_drafts(source_id: UUID, target: Ticket) -> list[list[str | int]]:
    """Move the drafts of a ticket to another one; return the users with the versions of their drafts.

    A draft stays in the source if its author has one in the target already, or does not see the target.
    """
    drafts = database.rows(Draft.select(Draft.user_id, Draft.version).where(Draft.ticket_id == source_id))
    moved: list[list[str | int]] = []
    for row in drafts:
        user = identity.get_user(row["user_id"])
        if sight.sees(Sight.of_user(user), target) and _move_draft(source_id, target.id, user.id):
            moved.append([str(user.id), row["version"]])
    return moved


def return_drafts(source_id: UUID, target_id: UUID, moved: Sequence[Sequence[str | int]]) -> None:
    """Move drafts back that nobody changed since."""
    for user, version in moved:
        _move_draft(target_id, source_id, UUID(str(user)), only=Draft.version == version)


def _move_draft(from_id: UUID, to_id: UUID, user_id: UUID, *, only: peewee.Expression | None = None) -> bool:
    if Draft.select().where(Draft.ticket_id == to_id, Draft.user_id == user_id).exists():
        return False
    mine = (Draft.ticket_id == from_id) & (Draft.user_id == user_id)
    return bool(Draft.update(ticket_id=to_id).where(mine if only is None else mine & only).execute())


def move_time(source: TicketChange, target: TicketChange) -> list[str]:
    """Move the time entries of a ticket to another one, with their minutes; return their ids.

    Raises MergeRefused beyond the bound.
    """
    of_source = TimeEntry.ticket_id == source.ticket.id
    ids = [row["id"] for row in database.rows(TimeEntry.select(TimeEntry.id).where(of_source).order_by(TimeEntry.id))]
    kept = TimeEntry.select().where(TimeEntry.ticket_id == target.ticket.id).count()
    if ids and len(ids) + kept > limits.time_entries_max:
        raise MergeRefused(f"Expected at most {limits.time_entries_max} time entries of both tickets.")
    _move_time(source, target, ids)
    return [str(one) for one in ids]


def return_time(source: TicketChange, target: TicketChange, moved: Sequence[str]) -> None:
    """Move time entries back, as they are now; an entry that was removed since stays removed."""
    _move_time(target, source, [UUID(one) for one in moved])


def _move_time(from_: TicketChange, to: TicketChange, ids: Sequence[UUID]) -> None:
    mine = TimeEntry.id.in_(list(ids)) & (TimeEntry.ticket_id == from_.ticket.id)
    minutes = sum(row["minutes"] for row in database.rows(TimeEntry.select(TimeEntry.minutes).where(mine)))
    TimeEntry.update(ticket_id=to.ticket.id).where(mine).execute()
    from_.ticket.minutes_spent -= minutes
    to.ticket.minutes_spent += minutes
