"""Read the task ledger: for the API, `scripts.diag` and the metrics."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, cast

from models.kernel import clock, limits
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.tasks.tables import Task

_COLUMNS = (
    Task.id,
    Task.kind,
    Task.queue,
    Task.key,
    Task.payload,
    Task.state,
    Task.attempts,
    Task.due_at,
    Task.last_error,
    Task.caused_by,
    Task.created_at,
    Task.first_run_at,
    Task.finished_at,
)


class TaskRow(TypedDict):
    """A task as the API shows it."""

    id: int
    kind: str
    queue: str
    key: str | None
    payload: JsonObject
    state: str
    attempts: int
    due_at: datetime
    last_error: str | None
    caused_by: str | None
    created_at: datetime
    first_run_at: datetime | None
    finished_at: datetime | None


class TaskCount(TypedDict):
    """The number of tasks of a kind in a state, and how many of them are due."""

    queue: str
    kind: str
    state: str
    tasks: int
    due: int


class Backlog(TypedDict):
    """The counts of the ledger, and the age in seconds of the oldest due task."""

    counts: list[TaskCount]
    oldest_due_s: float
    dead: int
    live: int


def get(task_id: int) -> TaskRow:
    """Return one task. Raises NotFound."""
    for row in database.rows_as(TaskRow, Task.select(*_COLUMNS).where(Task.id == task_id)):
        return row
    raise NotFound(f"there is no task {task_id}")


def page(*, state: str | None, before_id: int | None, limit: int) -> list[TaskRow]:
    """List tasks, newest first."""
    query = Task.select(*_COLUMNS)
    if state is not None:
        query = query.where(Task.state == state)
    if before_id is not None:
        query = query.where(Task.id < before_id)
    return database.rows_as(TaskRow, query.order_by(Task.id.desc()).limit(limit))


def backlog() -> Backlog:
    """Count live tasks by queue and state, and dead letters; return the age in seconds of the oldest due task too."""
    counts = database.run(
        "SELECT queue, kind, state, count(*) AS tasks, sum(CASE WHEN due_at <= NOW() THEN 1 ELSE 0 END) AS due"
        " FROM tasks"
        " WHERE state IN ('ready', 'leased', 'dead') GROUP BY queue, kind, state ORDER BY queue, kind, state"
    )
    oldest = database.one(
        "SELECT min(due_at) AS due_at FROM tasks WHERE state IN ('ready', 'leased') AND due_at <= NOW()"
    )
    due_at = Task.converted(oldest)["due_at"] if oldest else None
    return {
        "counts": cast("list[TaskCount]", counts),
        "oldest_due_s": max(0.0, (clock.now() - due_at).total_seconds()) if due_at else 0.0,
        "dead": sum(int(c["tasks"]) for c in counts if c["state"] == "dead"),
        "live": sum(int(c["tasks"]) for c in counts if c["state"] != "dead"),
    }


def ahead_of_clock() -> str | None:
    """Return one sentence when the newest task has a creation time in the future; otherwise None.

    Then a clock was ahead, or was set back since. Tasks that were due wait until the clock reaches their time.
    """
    made_at = Task.select(Task.created_at).order_by(Task.id.desc()).limit(1).scalar()
    ahead_s = (made_at - clock.now()).total_seconds() if made_at is not None else 0.0
    if ahead_s <= limits.clock_difference_s_max:
        return None
    return f"the newest task was made {ahead_s:.0f} s in the future: a clock was ahead, or was set back"
