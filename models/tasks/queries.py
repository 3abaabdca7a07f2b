"""Read the task ledger: for the API, `scripts.diag` and the metrics."""

from __future__ import annotations

from typing import Any

from models.kernel import clock, database, limits
from models.kernel.errors import NotFound

_COLUMNS = "id, kind, queue, key, payload, state, attempts, due_at, last_error, caused_by, created_at, first_run_at, finished_at"


def get(task_id: int) -> database.Row:
    """Return one task. Raises NotFound."""
    row = database.one(f"SELECT {_COLUMNS} FROM tasks WHERE id = :id", id=task_id)
    if row is None:
        raise NotFound(f"there is no task {task_id}")
    return row


def page(*, state: str | None, before_id: int | None, limit: int) -> list[database.Row]:
    """Tasks, newest first."""
    conditions, values = ["1 = 1"], dict[str, Any](limit=limit)
    if state is not None:
        conditions.append("state = :state")
        values["state"] = state
    if before_id is not None:
        conditions.append("id < :before_id")
        values["before_id"] = before_id
    where = " AND ".join(conditions)
    return database.run(f"SELECT {_COLUMNS} FROM tasks WHERE {where} ORDER BY id DESC LIMIT :limit", values)


def backlog() -> dict[str, Any]:
    """Live tasks by queue and state, dead letters, and the age in seconds of the oldest due task."""
    counts = database.run(
        "SELECT queue, kind, state, count(*) AS tasks, sum(CASE WHEN due_at <= NOW() THEN 1 ELSE 0 END) AS due"
        " FROM tasks"
        " WHERE state IN ('ready', 'leased', 'dead') GROUP BY queue, kind, state ORDER BY queue, kind, state"
    )
    oldest = database.one(
        "SELECT min(due_at) AS due_at FROM tasks WHERE state IN ('ready', 'leased') AND due_at <= NOW()"
    )
    due_at = database.instant(oldest["due_at"]) if oldest else None
    return {
        "counts": counts,
        "oldest_due_s": max(0.0, (clock.now() - due_at).total_seconds()) if due_at else 0.0,
        "dead": sum(int(c["tasks"]) for c in counts if c["state"] == "dead"),
        "live": sum(int(c["tasks"]) for c in counts if c["state"] != "dead"),
    }


def ahead_of_clock() -> str | None:
    """Return one sentence when the newest task was made in the future: by a clock that was ahead, or that was set back
    since.

    Work that was due then waits until the clock gets there.
    """
    row = database.one("SELECT created_at FROM tasks ORDER BY id DESC LIMIT 1")
    made_at = database.instant(row["created_at"]) if row is not None else None
    ahead_s = (made_at - clock.now()).total_seconds() if made_at is not None else 0.0
    if ahead_s <= limits.clock_difference_s_max:
        return None
    return f"the newest task was made {ahead_s:.0f} s in the future: a clock was ahead, or was set back"
