"""Find all due tasks and wake workers for them again. A lost wakeup delays a task and never loses it.

Any number of sweepers may run in parallel: one statement takes rows with SKIP LOCKED and moves their next wakeup
forward. Only the first task of a key is woken, so that the batch contains no tasks that cannot run.
"""

from __future__ import annotations

from models.kernel import limits
from models.kernel.storage import database
from models.tasks import wakeups

# MATERIALIZED: as a plain subquery PostgreSQL may choose a plan that runs it again for each row, and takes more than
# the limit.
_DUE = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM tasks AS due
    WHERE due.state IN ('ready', 'leased') AND due.due_at <= NOW() AND due.next_hint_at <= NOW()
      AND (due.state = 'ready' OR due.lease_until < NOW())
      AND (due.key IS NULL OR NOT EXISTS (
          SELECT 1 FROM tasks AS other WHERE other.key = due.key AND other.id < due.id AND other.state IN ('ready', 'leased')))
    ORDER BY due.due_at LIMIT :batch FOR_UPDATE SKIP_LOCKED)
UPDATE tasks SET hints = hints + 1, next_hint_at = NOW_PLUS(:grace_s * CASE WHEN hints < 5 THEN (1 << hints) ELSE 32 END)
WHERE id IN (SELECT id FROM chosen)
RETURNING id, queue
"""


# A broker that is away must put no row off, or the rows would wait long after its return; one wakeup asks whether it is
# back.
_PROBE = "SELECT id, queue FROM tasks WHERE state = 'ready' AND due_at <= NOW() ORDER BY due_at LIMIT 1"
# Wakeups given while it went away are lost, also those of other processes.
_ALL_AT_ONCE = (
    "UPDATE tasks SET hints = 0, next_hint_at = due_at WHERE state IN ('ready', 'leased') AND next_hint_at > due_at"
)
_broker_was_away = False


def run(*, batch_max: int = limits.sweep_batch_max) -> int:
    """Wake workers for up to `batch_max` due tasks, in a transaction of its own. Returns their number; the caller
    repeats while it is `batch_max`.
    """
    global _broker_was_away
    if not wakeups.broker_works():
        _broker_was_away = True
        return _probe()
    with database.transaction():
        if _broker_was_away:
            database.execute(_ALL_AT_ONCE)
        due = database.run(_DUE, batch=batch_max, grace_s=limits.task_wakeup_grace_s)
    _broker_was_away = False
    for task in sorted(due, key=lambda task: int(task["id"])):  # RETURNING promises no order
        wakeups.give(wakeups.Wakeup(task["id"], task["queue"]))
    return len(due)


def _probe() -> int:
    """Give one wakeup to a broker that was away, if it is time to ask again."""
    if not wakeups.broker_may_be_tried():
        return 0
    with database.connection():
        task = database.one(_PROBE)
    if task is None:
        return 0
    wakeups.give(wakeups.Wakeup(task["id"], task["queue"]))
    return 1


def run_all() -> int:
    """Sweep until nothing is due; for start-up."""
    total = 0
    while True:
        count = run()
        total += count
        if count < limits.sweep_batch_max:
            return total
