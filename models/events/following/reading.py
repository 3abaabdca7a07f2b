"""Read the event log from a position, without skipping an event that commits late.

On PostgreSQL a transaction locks the table `events` (ROW EXCLUSIVE) before its first insert gets a number, and keeps
the lock until its end (PostgreSQL manual, 13.3.1). So the transactions that can still commit a number up to N are among
those that hold this lock at a moment after N was read. When all of them have ended, N is settled. Transactions that do
not write events, and those of other databases, hold nothing back. SQLite has one writer at a time; there the newest
number is always settled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, cast
from uuid import UUID

from models.events.row_types import LogEvent
from models.events.tables import EventRow
from models.kernel.storage import database

# -- limits ----------------------------------------------------------------------------------------------------
# For the transactions that hold numbers back. Ours take milliseconds; a longer one is waited for by the next read.
settle_wait_s = 0.3
# Events among which one that is old enough is looked for: more than a busy minute has, then more than pass by a long
# transaction. A larger number is read only if the smaller one has none.
_recent = (10_000, 100_000, 1_000_000)
# Between `occurred_at` and the number of an event; its transaction writes it within a second or so.
_numbered_within = timedelta(seconds=60)
_settle_pause_s_min, _settle_pause_s_max = 0.002, 0.03  # between two looks at the locks; a look costs about 0.1 ms


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log: all events before it are read.

    `unnumbered_id`: the last read event of those without a number; None when all of them are read.
    """

    number: int
    unnumbered_id: UUID | None = None


START = Position(0, UUID(int=0))


@dataclass(frozen=True, slots=True)
class Read:
    """Some events in their order, and the position after them. `more`: another read would find events now."""

    events: Sequence[LogEvent]
    position: Position
    more: bool


class BriefEvent(TypedDict):
    """An event with a number, without its payload and author."""

    event_type: str
    occurred_at: datetime
    aggregate: str
    aggregate_id: UUID
    log_position: int


@dataclass(frozen=True, slots=True)
class BriefRead:
    """Some brief events in their order, and the position after them."""

    events: Sequence[BriefEvent]
    position: Position
    more: bool


def end() -> int:
    """Return the highest number that was given to an event. Its transaction may not have committed yet."""
    row = database.one(END_ON_POSTGRES if database.is_postgres() else END_ON_SQLITE)
    return int(row["number"]) if row else 0


def now() -> Position:
    """Return a position near the end of the log: events that commit after this call are behind it.

    When transactions hold the newest numbers back for too long, the position is a minute older than the oldest of them.
    A reader from there may get events that committed before the call.
    """
    newest = end()
    settled = _horizon.settled(newest, wait_s=settle_wait_s)
    if settled >= newest:
        return Position(settled)
    row = database.one(_OLDEST_WRITER)
    since = row["since"] if row is not None else None
    if since is None:  # all of them have ended, or another role's, whose start this role may not see
        return Position(_horizon.settled(newest, wait_s=0.0))
    for number_of_events in _recent:
        first = max(settled, newest - number_of_events)
        row = database.one(_OCCURRED_BEFORE, first=first, last=newest, before=since - _numbered_within)
        if row is not None and row["number"] is not None:
            return Position(int(row["number"]))
        if first == settled:
            break
    return Position(settled)


def read(position: Position, limit: int, *, wait_s: float = settle_wait_s) -> Read:
    """Return the next settled events, oldest first. Call it outside of a transaction that writes.

    Waits up to `wait_s` for transactions that hold events back. If they take longer, it returns the events before
    theirs.
    """
    if position.unnumbered_id is not None:
        rows = database.run(_UNNUMBERED, after=position.unnumbered_id, limit=limit)
        if rows:
            events = _converted(rows)
            return Read(events, Position(position.number, events[-1]["event_id"]), more=True)
    return _numbered(position.number, limit, _NUMBERED, wait_s)


def brief(number: int, limit: int, *, wait_s: float = settle_wait_s) -> BriefRead:
    """Return the next settled events after a number as `read` does, without their payloads."""
    found = _numbered(number, limit, _BRIEF, wait_s)
    return BriefRead(cast("Sequence[BriefEvent]", found.events), found.position, found.more)


def _numbered(number: int, limit: int, statement: str, wait_s: float) -> Read:
    newest = end()
    settled = _horizon.settled(newest, wait_s=wait_s) if newest > number else number
    if settled <= number:
        return Read((), Position(number), more=False)
    events = _converted(database.run(statement, after=number, last=settled, limit=limit))
    if len(events) < limit:
        return Read(events, Position(settled), more=False)
    last = events[-1]["log_position"]
    assert last is not None
    return Read(events, Position(last), more=last < settled)


def forget() -> None:
    """Forget the settled numbers, in tests that change databases."""
    _horizon.forget()


END_ON_POSTGRES = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM log_position"
END_ON_SQLITE = "SELECT COALESCE(max(log_position), 0) AS number FROM events"
_COLUMNS = EventRow.selected()
_UNNUMBERED = (
    f"SELECT {_COLUMNS} FROM events WHERE log_position IS NULL AND event_id > :after ORDER BY event_id LIMIT :limit"
)
_NUMBERED = (
    f"SELECT {_COLUMNS} FROM events WHERE log_position > :after AND log_position <= :last ORDER BY log_position"
    " LIMIT :limit"
)
_BRIEF = (
    "SELECT event_type, occurred_at, aggregate, aggregate_id, log_position FROM events WHERE log_position > :after"
    " AND log_position <= :last ORDER BY log_position LIMIT :limit"
)
# An event that occurred a minute before the start of the oldest writer got its number before that start, so the number
# is lower than each number that a writer can still commit.
_OCCURRED_BEFORE = (
    "SELECT max(log_position) AS number FROM events WHERE log_position > :first AND log_position <= :last"
    " AND occurred_at < :before"
)
_WRITING = (
    "FROM pg_locks WHERE locktype = 'relation' AND relation = 'events'::regclass"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()"
)
# A number of a lock's owner and of its transaction, which no other transaction gets.
_WRITERS = f"SELECT virtualtransaction AS writer {_WRITING}"
# NULL if the start of one of them is hidden: pg_stat_activity shows it to members of its role only (manual, 28.2).
_OLDEST_WRITER = (
    "SELECT CASE WHEN count(*) = count(xact_start) THEN min(xact_start) END AS since FROM pg_stat_activity"
    f" WHERE pid IN (SELECT pid {_WRITING})"
)


def _converted(rows: Sequence[database.Row]) -> list[LogEvent]:
    return [cast(LogEvent, EventRow.converted(row)) for row in rows]


class _Horizon:
    """The highest number below which no event can commit any more, as far as this process knows.

    A number that is not settled within the patience of a read is kept with its writers, so a later read settles it also
    when there is always some writer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled = 0
        self._waiting: tuple[int, frozenset[str]] | None = None

    def settled(self, newest: int, *, wait_s: float) -> int:
        """Return a settled number up to `newest`, which was read before this call."""
        if not database.is_postgres():
            return newest
        known = self._known()
        if newest < known:
            if end() >= known:  # another thread read and settled a newer number meanwhile
                return newest
            self.forget()  # the database was restored from a backup
        until, pause_s = time.monotonic() + wait_s, _settle_pause_s_min
        while self._known() < newest:
            settled = self._look(newest)
            if settled >= newest or time.monotonic() >= until:
                return min(settled, newest)
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _settle_pause_s_max)
        return newest

    def _known(self) -> int:
        with self._lock:
            return self._settled

    def _look(self, newest: int) -> int:
        writers = frozenset(row["writer"] for row in database.run(_WRITERS))
        with self._lock:
            if not writers:
                self._settled = max(self._settled, newest)
            elif self._waiting is not None and self._waiting[1].isdisjoint(writers):
                self._settled, self._waiting = max(self._settled, self._waiting[0]), None
            if self._waiting is not None and self._waiting[0] <= self._settled:
                self._waiting = None
            if self._waiting is None and self._settled < newest:
                self._waiting = (newest, writers)
            return self._settled

    def forget(self) -> None:
        with self._lock:
            self._settled, self._waiting = 0, None


_horizon = _Horizon()
