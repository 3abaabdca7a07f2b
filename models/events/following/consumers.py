"""Consumers of the event log: each has a name, a stored position and a function that applies events.

A step reads events, and applies them in the transaction that moves the position, under the lock of the position's row.
So the effect of each event is written exactly once, whatever runs twice or is killed. `wake` enqueues a task for each
consumer that is behind; the task does steps until the end of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from models.events.following import reading
from models.events.following.reading import START, Position
from models.events.row_types import LogEvent
from models.events.tables import LogPosition, ParkedLogEvent
from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tasks.payloads import FollowLog


def _nothing() -> None:
    """Build nothing that a rebuild would remove."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A program that follows the log.

    `apply` gets events in order and joins the transaction that moves the position. `reset` removes everything that the
    consumer has built, in the transaction of a rebuild that moves the position back. A new consumer begins with the
    oldest event, or at the end of the log with `from_end`, or with the oldest one that has a number
    (`numbered_only`); then another pass builds its initial state.
    """

    name: str
    apply: Callable[[Sequence[LogEvent]], None]
    reset: Callable[[], None] = _nothing
    batch_max: int = 200
    from_end: bool = False
    numbered_only: bool = False


class Lag(TypedDict):
    """The distance of a consumer from the end of the log.

    `waiting_since`: the instant of its first unread event with a number.
    """

    name: str
    number: int
    end: int
    behind: int
    old_events_left: bool
    waiting_since: datetime | None


def ensure(consumers: Iterable[Consumer]) -> None:
    """Store the positions of new consumers. Joins the caller's transaction."""
    for consumer in consumers:
        if database.one("SELECT 1 AS one FROM log_positions WHERE name = :name", name=consumer.name) is not None:
            continue
        begin = reading.now() if consumer.from_end else Position(0) if consumer.numbered_only else START
        database.execute(
            "INSERT INTO log_positions (name, number, unnumbered_id, moved_at) VALUES (:name, :number, :old, :now)"
            " ON CONFLICT (name) DO NOTHING",
            name=consumer.name,
            number=begin.number,
            old=begin.unnumbered_id,
            now=clock.now(),
        )


def step(consumer: Consumer) -> bool:
    """Apply the next events, in a transaction of its own; return True if more events wait.

    Another process may do a step of the same consumer at once: the one that commits second changes nothing.
    """
    with database.connection():
        found = position_of(consumer.name)
        read = reading.read(found, consumer.batch_max)
    if read.position == found:
        return False
    with database.transaction():
        if locked(consumer.name) != found:
            return True
        if read.events:
            consumer.apply(read.events)
        move(consumer.name, read.position)
    return read.more


def position_of(name: str) -> Position:
    """Return the stored position of a consumer. Raises NotFound."""
    return _position(
        database.one("SELECT number, unnumbered_id FROM log_positions WHERE name = :name", name=name), name
    )


def restart(consumer: Consumer, *, at: Position = START) -> None:
    """Remove everything that the consumer has built and move its position, in a transaction of its own.

    The consumer then reads the log from there. Raises NotFound.
    """
    with database.transaction():
        locked(consumer.name)
        consumer.reset()
        # The events that are parked are applied again with all others.
        ParkedLogEvent.delete().where(ParkedLogEvent.consumer == consumer.name).execute()
        move(consumer.name, at)


def lock(name: str) -> None:
    """Hold the position of a consumer, so that it does no step until the end of the caller's transaction.

    Raises NotFound.
    """
    locked(name)


def wake() -> int:
    """Enqueue a task for each consumer that is behind and has no live task; return the number of consumers behind.

    A transaction of its own. A consumer with a live task still counts, because the task may be at its end.
    """
    with database.connection():
        behind = database.run(_BEHIND_ON_POSTGRES if database.is_postgres() else _BEHIND_ON_SQLITE)
    idle = [row["name"] for row in behind if not row["live"]]
    if idle:
        with database.transaction():
            for name in idle:
                tasks.enqueue(FollowLog(consumer=name), key=key_of(name))
    return len(behind)


def key_of(name: str) -> str:
    """Return the key of a consumer's tasks, of which one runs at a time."""
    return f"log:{name}"


def lags() -> list[Lag]:
    """Return how far each consumer is behind."""
    last = reading.end()
    rows = database.run(
        "SELECT p.name, p.number, p.unnumbered_id, (SELECT e.occurred_at FROM events AS e"
        " WHERE e.log_position > p.number ORDER BY e.log_position LIMIT 1) AS waiting_since"
        " FROM log_positions AS p ORDER BY p.name"
    )
    return [
        {
            "name": row["name"],
            "number": row["number"],
            "end": last,
            "behind": max(0, last - row["number"]),
            "old_events_left": row["unnumbered_id"] is not None,
            "waiting_since": database.instant(row["waiting_since"]),
        }
        for row in rows
    ]


_BEHIND = (
    "SELECT p.name, EXISTS (SELECT 1 FROM tasks AS t WHERE t.key = 'log:' || p.name"
    " AND t.state IN ('ready', 'leased')) AS live FROM log_positions AS p, ({end}) AS log"
    " WHERE p.number < log.number OR p.unnumbered_id IS NOT NULL ORDER BY p.name"
)
_BEHIND_ON_POSTGRES = _BEHIND.format(end=reading.END_ON_POSTGRES)
_BEHIND_ON_SQLITE = _BEHIND.format(end=reading.END_ON_SQLITE)


def locked(name: str) -> Position:
    """Lock the position of a consumer and return it. Raises NotFound."""
    row = database.one("SELECT number, unnumbered_id FROM log_positions WHERE name = :name FOR_UPDATE", name=name)
    return _position(row, name)


def _position(row: database.Row | None, name: str) -> Position:
    if row is None:
        raise NotFound(f"no consumer of the log is called {name}")
    row = LogPosition.converted(row)
    return Position(row["number"], row["unnumbered_id"])


def move(name: str, to: Position) -> None:
    """Move the position of a consumer, which the caller has locked. The event at it is no longer tried."""
    database.execute(
        "UPDATE log_positions SET number = :number, unnumbered_id = :old, moved_at = :now, tried_id = NULL, tries = 0"
        " WHERE name = :name",
        name=name,
        number=to.number,
        old=to.unnumbered_id,
        now=clock.now(),
    )
