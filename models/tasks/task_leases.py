"""Leases that were lost or left behind: the rights of a run without its lease, and the leases of a process that ended."""

from __future__ import annotations

from models.kernel import limits
from models.kernel.errors import LeaseLost
from models.kernel.storage import database
from models.tasks import wakeups
from models.tasks.commands import ClaimedTask, wake_next
from models.tasks.kinds import SENDS

_CALLED = "called; the answer was not recorded"


def confirm(task: ClaimedTask) -> None:
    """Check right before an effect outside of the database that the task is still this run's. Raises LeaseLost.

    A repeated run may follow one that only seemed dead, and which finishes the task late.
    """
    with database.connection():
        found = database.one(
            "SELECT 1 AS yes FROM tasks WHERE id = :id AND lease_id = :lease_id AND state = 'leased'",
            id=task.id,
            lease_id=task.lease_id,
        )
    if found is None:
        raise LeaseLost()


def begin_call(task: ClaimedTask) -> bool:
    """Note that the task's one call begins; False when an earlier run began it and its answer was never recorded.

    For calls that must not be repeated. A run that is settled takes the note away. Joins the caller's transaction.
    """
    begun = database.execute(
        "UPDATE tasks SET last_error = :called WHERE id = :id AND lease_id = :lease_id AND state = 'leased'"
        " AND (last_error IS NULL OR last_error <> :called)",
        called=_CALLED,
        id=task.id,
        lease_id=task.lease_id,
    )
    return bool(begun.rowcount)


def finish_late(task: ClaimedTask) -> None:
    """Mark a task done whose work has succeeded outside of the database, although the lease was lost. Joins the
    caller's transaction.

    Another run of the task notices it by `confirm`, or when it settles.
    """
    database.execute(
        "UPDATE tasks SET state = 'done', finished_at = NOW(), lease_id = NULL, lease_until = NULL"
        " WHERE id = :id AND state IN ('ready', 'leased')",
        id=task.id,
    )
    wake_next(task.key)


def wake_expired(task_id: int, *, wait_s: float) -> None:
    """Wake a worker for the task again after `wait_s` seconds if its lease has run out: it was left alone for now."""
    with database.connection():
        row = database.one(
            "SELECT queue FROM tasks WHERE id = :id AND state = 'leased' AND lease_until < NOW()", id=task_id
        )
    if row is not None:
        wakeups.give(wakeups.Wakeup(task_id, row["queue"], wait_s))


def release_all() -> int:
    """Take back every lease and let the next sweep wake workers for all due tasks; returns how many leases there were.

    Only for the embedded desk's start. Its lock proves that no other worker lives. Its broker has lost every wakeup, so
    no row waits for its next one. Interrupted sends wait some seconds, longer with each attempt: otherwise a desk that
    dies soon after each start would send the same messages at each start.
    """
    with database.transaction():
        released = database.execute(
            "UPDATE tasks SET state = 'ready', lease_id = NULL, lease_until = NULL,"
            " due_at = CASE WHEN queue = :sends THEN"
            " NOW_PLUS(:calm_s * CASE WHEN attempts < :most THEN attempts ELSE :most END) ELSE due_at END WHERE"
            " state = 'leased'",
            sends=SENDS,
            calm_s=limits.sends_calm_s,
            most=limits.sends_calm_attempts_max,
        ).rowcount
        database.execute("UPDATE tasks SET hints = 0, next_hint_at = due_at WHERE state = 'ready'")
    return int(released)
