"""Events that end the workers of a consumer: found one by one, parked, and repeated by an operator.

An event can end its worker without an error that somebody could record (memory, a crash in C). The worker that takes
the task over would read the same batch. After some such attempts the task therefore does careful steps: each reads one
event and notes, in a transaction of its own, that it begins. A note without an end is a worker that died with this
event. After `tries_max` of them the event is parked, and the consumer goes on behind it.

An event whose `apply` raises an error is not parked: the consumer waits at it until the fault is mended.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TypedDict, cast
from uuid import UUID

from models.events.following import consumers, reading
from models.events.following.consumers import Consumer
from models.events.following.reading import Position
from models.events.row_types import LogEvent
from models.events.tables import EventRow, LogPosition, ParkedLogEvent
from models.kernel import clock
from models.kernel.errors import Unavailable
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.kernel.telemetry import logs

log = logs.get("log_consumers")

# -- limits ----------------------------------------------------------------------------------------------------
# Attempts of a task that ended without a record, before it does careful steps: the first ones are the restarts of a
# machine or a release.
attempts_before_care = 3
# Workers that may die with one event in careful steps: one death can have another cause.
tries_max = 3


class Parked(TypedDict):
    """The number of parked events of a consumer."""

    consumer: str
    events: int


def careful_step(consumer: Consumer) -> bool:
    """Apply the next event as a step of its own, or park it after `tries_max` tries that ended with their worker.

    Returns True if more events wait.
    """
    with database.connection():
        found = consumers.position_of(consumer.name)
        read = reading.read(found, 1)
    if not read.events:
        return consumers.step(consumer)
    [event] = read.events
    tries = _begin(consumer.name, found, event["event_id"])
    if tries > tries_max:
        _park(consumer.name, found, event, read.position)
        return read.more
    try:
        with database.transaction():
            if consumers.locked(consumer.name) == found:
                consumer.apply(read.events)
                consumers.move(consumer.name, read.position)
    except BaseException:
        # The worker lives. If the note cannot be taken back now, it counts as one of the tries.
        with suppress(Unavailable):
            _end(consumer.name)
        raise
    return read.more


def _begin(name: str, at: Position, event_id: UUID) -> int:
    """Note that a step begins to apply an event; return how often steps began it and did not end."""
    with database.transaction():
        if consumers.locked(name) != at:
            return 0  # another process has moved on; the step finds that out
        row = first(LogPosition.select(LogPosition.tried_id, LogPosition.tries).where(LogPosition.name == name))
        assert row is not None, "the row is locked"
        tries = int(row["tries"]) + 1 if row["tried_id"] == event_id else 1
        LogPosition.update(tried_id=event_id, tries=tries).where(LogPosition.name == name).execute()
    return tries


def _end(name: str) -> None:
    with database.transaction():
        LogPosition.update(tried_id=None, tries=0).where(LogPosition.name == name).execute()


def _park(name: str, at: Position, event: LogEvent, behind: Position) -> None:
    with database.transaction():
        if consumers.locked(name) != at:
            return
        parked = ParkedLogEvent.insert(consumer=name, event_id=event["event_id"], parked_at=clock.now())
        parked.on_conflict_ignore().execute()
        consumers.move(name, behind)
    log.error("event_parked", consumer=name, event_id=event["event_id"], event_type=event["event_type"])


def counts() -> list[Parked]:
    """Return the number of parked events of each consumer that has some."""
    rows = database.run(
        "SELECT consumer, count(*) AS events FROM parked_log_events GROUP BY consumer ORDER BY consumer"
    )
    return [{"consumer": row["consumer"], "events": int(row["events"])} for row in rows]


def events_of(name: str) -> list[UUID]:
    """Return the ids of the parked events of a consumer, in the order in which they were parked."""
    query = ParkedLogEvent.select(ParkedLogEvent.event_id).where(ParkedLogEvent.consumer == name)
    return [row["event_id"] for row in database.rows(query.order_by(ParkedLogEvent.parked_at, ParkedLogEvent.event_id))]


def repeat(consumer: Consumer, event_id: UUID) -> bool:
    """Apply a parked event in a transaction of its own; return False if it is not parked any more.

    The event comes after events that happened later. Consumers compute their rows from the present state, so this order
    does not matter to them. An error leaves the event parked.
    """
    with database.transaction():
        consumers.lock(consumer.name)
        mine = (ParkedLogEvent.consumer == consumer.name) & (ParkedLogEvent.event_id == event_id)
        if not ParkedLogEvent.delete().where(mine).execute():
            return False
        rows = database.rows(EventRow.select().where(EventRow.event_id == event_id))
        consumer.apply([cast(LogEvent, row) for row in rows])
    return True
