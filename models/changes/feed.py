"""Read the changes of visible tickets after a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from models.events.following import reading
from models.kernel import clock
from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.tickets.tables import Ticket
from models.visibility.sight import Sight

# -- limits ----------------------------------------------------------------------------------------------------
kept_s = 7 * 24 * 3600  # a poller that was away longer reads the lists again, which is cheaper for both
events_max = 1_000  # of the log, for one answer; some hundred tickets
_wait_s = 0.1  # for transactions that hold events back; the next poll comes soon


class PositionExpired(NestorError):
    """The position is too old, or it is of another database.

    Read the lists again, and continue with the position of GET /v1/changes without `after`.
    """

    code, http_status = "position_expired", 410

    def __init__(self) -> None:
        super().__init__(
            "The position is too old or unknown: read the lists again, and continue with the position of GET"
            " /v1/changes without `after`."
        )


@dataclass(frozen=True, slots=True)
class TicketChanges:
    """The changes of one ticket: the types of its events in their order, each once."""

    ticket: Ticket
    event_types: Sequence[str]
    last_change_at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed tickets in the order of their last change. `position`: for the next poll. `more`: poll again now."""

    tickets: Sequence[TicketChanges]
    position: int
    more: bool


def now() -> Changes:
    """Return no changes, and the position at which a new poller begins."""
    return Changes((), reading.now().number, more=False)


def after(position: int, *, sight: Sight, tickets_max: int) -> Changes:
    """Return the visible tickets that changed after a position, at most `tickets_max`. Raises PositionExpired."""
    newest = reading.end()
    if position > newest:
        raise PositionExpired()
    if position == newest:
        return Changes((), position, more=False)
    read = reading.brief(position, events_max, wait_s=_wait_s)
    if read.events and read.events[0]["occurred_at"] < clock.now() - timedelta(seconds=kept_s):
        raise PositionExpired()
    found: dict[UUID, list[reading.BriefEvent]] = {}
    reached, more = read.position.number, read.more
    for event in read.events:
        if event["aggregate"] != "ticket":
            continue
        if event["aggregate_id"] not in found and len(found) == tickets_max:
            # The answer ends before the event of one ticket too many.
            reached, more = event["log_position"] - 1, True
            break
        found.setdefault(event["aggregate_id"], []).append(event)
    return Changes(_seen(found, sight), reached, more)


def _seen(found: dict[UUID, list[reading.BriefEvent]], sight: Sight) -> list[TicketChanges]:
    """The changes of those tickets that are visible now, in one statement."""
    if not found:
        return []
    query = Ticket.select().where(Ticket.id.in_(list(found)), sight.tickets())
    seen = [
        TicketChanges(
            Ticket(**row),
            tuple(dict.fromkeys(event["event_type"] for event in found[row["id"]])),
            found[row["id"]][-1]["occurred_at"],
        )
        for row in database.rows(query)
    ]
    return sorted(seen, key=lambda one: found[one.ticket.id][-1]["log_position"])
