"""The new computation of all numbers, while the consumer of the event log (`consumer.py`) goes on."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from models.events.following import consumers, reading
from models.kernel.storage import database
from models.numbers import storing
from models.numbers.consumer import CONSUMER
from models.tickets.tables import Ticket

# -- limits ----------------------------------------------------------------------------------------------------
_batch_tickets = 200  # of one transaction of a new computation; about half a second


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
