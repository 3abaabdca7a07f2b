"""Timers: rows that make a task at an instant, once or repeatedly.

Firing inserts the task with a dedupe key of name and due time and moves the timer on, in one transaction under the
row's lock: any number of schedulers fires each due time once. A desk that slept over several periods fires once, late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.kernel import clock
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import Batch, as_json
from models.tasks import commands
from models.tasks.kinds import kind_of
from models.tasks.payloads import Payload, encoded
from models.tasks.tables import Task, Timer


def put(
    name: str,
    payload: Payload,
    *,
    due_at: datetime,
    key: str | None = None,
    every_s: int | None = None,
) -> None:
    """Set the timer called `name`, replacing it; `every_s` repeats it. Joins the caller's transaction."""
    kind = kind_of(payload)
    database.execute(
        "INSERT INTO timers (name, kind, queue, key, payload, due_at, every_s) VALUES (:name, :kind, :queue, :key,"
        " :payload, :due_at,"
        " :every_s) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, queue = excluded.queue, key = excluded.key,"
        " payload = excluded.payload, due_at = excluded.due_at, every_s = excluded.every_s",
        name=name,
        kind=kind.name,
        queue=kind.queue,
        key=key,
        payload=encoded(payload),
        due_at=due_at,
        every_s=every_s,
    )


def ensure(name: str, payload: Payload, *, every_s: int) -> None:
    """Set a repeating timer unless it is there already (its phase is kept over restarts).

    One that is due later than its period from now was set by a clock that was ahead, or that was set back since: it is
    moved.
    """
    kind = kind_of(payload)
    database.execute(
        "INSERT INTO timers (name, kind, queue, payload, due_at, every_s) VALUES (:name, :kind, :queue, :payload,"
        " :due_at, :every_s)"
        " ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, every_s = excluded.every_s"
        " WHERE timers.due_at > excluded.due_at",
        name=name,
        kind=kind.name,
        queue=kind.queue,
        payload=encoded(payload),
        due_at=clock.now() + timedelta(seconds=every_s),
        every_s=every_s,
    )


def stop(name: str, *, pending: str | None = None) -> bool:
    """Remove the timer; return True if it existed. Joins the caller's transaction.

    `pending` is the key of the timer's tasks. A task that the timer has created and no worker has claimed is discarded,
    so that a stopped timer (perhaps set again) never fires early.
    """
    if pending is not None:
        database.execute(
            "UPDATE tasks SET state = 'discarded', finished_at = :now WHERE key = :key AND state = 'ready' AND"
            " caused_by = :cause",
            now=clock.now(),
            key=pending,
            cause=f"timer:{name}",
        )
    return bool(database.execute("DELETE FROM timers WHERE name = :name", name=name).rowcount)


@dataclass(frozen=True, slots=True)
class SetTimer:
    """A timer that is set, or whose task waits: then `due_at` is None."""

    due_at: datetime | None
    payload: JsonObject


def find(names: Sequence[str], *, pending: str) -> dict[str, SetTimer]:
    """Return the timers with these names, also those that fired and whose task has not run yet.

    `pending` is the key of the timers' tasks.
    """
    places, values = database.in_list("name", names)
    rows = database.run(f"SELECT name, due_at, payload FROM timers WHERE name IN {places}", values)
    found = {row["name"]: SetTimer(row["due_at"], row["payload"]) for row in map(Timer.converted, rows)}
    waiting = database.run(
        "SELECT caused_by, payload FROM tasks WHERE key = :key AND state IN ('ready', 'leased')", key=pending
    )
    for row in map(Task.converted, waiting):
        name = (row["caused_by"] or "").removeprefix("timer:")
        if name in names:
            found.setdefault(name, SetTimer(None, row["payload"]))
    return found


def fire_due(*, batch_max: int = 100) -> int:
    """Turn due timers into tasks, in a transaction of its own; return the number of fired timers."""
    with database.transaction():
        due = database.run(
            "SELECT name, kind, queue, key, payload, due_at, every_s FROM timers WHERE due_at <= NOW() ORDER BY due_at"
            " LIMIT :batch FOR_UPDATE SKIP_LOCKED",
            batch=batch_max,
        )
        now, batch, over = clock.now(), Batch(), []
        for timer in map(Timer.converted, due):
            due_at = timer["due_at"]
            task = commands.stored_row(
                timer["kind"],
                as_json(timer["payload"]),
                queue=timer["queue"],
                key=timer["key"],
                dedupe_key=f"timer:{timer['name']}:{due_at.isoformat()}",
                caused_by=f"timer:{timer['name']}",
            )
            commands.add(batch, task)
            if timer["every_s"] is None:
                over.append(timer["name"])
            else:
                database.execute(
                    "UPDATE timers SET due_at = :due_at, fired = fired + 1 WHERE name = :name",
                    name=timer["name"],
                    due_at=next_due(due_at, every_s=timer["every_s"], now=now),
                )
        commands.write(batch)
        if over:
            places, values = database.in_list("name", over)
            database.execute(f"DELETE FROM timers WHERE name IN {places}", values)
    return len(due)


def next_due(due_at: datetime, *, every_s: int, now: datetime) -> datetime:
    """Return the first instant after `now` in the timer's rhythm; missed periods are coalesced into
    the one that fires.
    """
    missed = math.floor(max(0.0, (now - due_at).total_seconds()) / every_s)
    return due_at + timedelta(seconds=every_s * (missed + 1))
