"""The consumer of the event log that keeps the numbers, and their new computation as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from models.events.following import consumers, reading
from models.events.following.consumers import Consumer
from models.events.row_types import LogEvent
from models.kernel.storage import database
from models.numbers import storing
from models.tickets.tables import Ticket

# -- limits ----------------------------------------------------------------------------------------------------
_batch_tickets = 200  # of one transaction of a new computation; about half a second


def _apply(events: Sequence[LogEvent]) -> None:
    """Compute the tickets of the events again, in the order of their ids."""
    storing.compute(sorted({event["aggregate_id"] for event in events if event["aggregate"] == "ticket"}))


CONSUMER: Final = Consumer("numbers", _apply, reset=storing.reset)


def recompute(progress: Callable[[int, UUID], None] = lambda done, last: None, *, after: UUID | None = None) -> int:
    """Compute all tickets again, ticket by ticket; returns their number.

    `after` goes on with an interrupted computation: tickets up to this id are left as they are. The consumer follows
    the log meanwhile; the row of its position keeps the two apart.
    """
    if after is None:
        with database.connection():
            begin = reading.now()
        consumers.restart(CONSUMER, at=begin)
    done, last = 0, after or UUID(int=0)
    while True:
        with database.transaction():
            consumers.lock(CONSUMER.name)
            query = Ticket.select(Ticket.id).where(Ticket.id > last).order_by(Ticket.id).limit(_batch_tickets)
            found = [row["id"] for row in database.rows(query)]
            storing.compute(found)
        if not found:
            return done
        done, last = done + len(found), found[-1]
        progress(done, last)
