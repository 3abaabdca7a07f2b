"""Find all that is due and hint it again: the net under every lost hint.

Any number of sweepers at once is safe: rows are taken with SKIP LOCKED and their next hint is moved forward in the same
statement. Only heads of their key are hinted, or the batch would be spent on tasks that cannot run (ENGINE 2).
"""

from __future__ import annotations

from models.kernel import database, limits
from models.tasks import hints

_DUE = """
UPDATE tasks SET hints = hints + 1, next_hint_at = NOW_PLUS(:grace_s * CASE WHEN hints < 5 THEN (1 << hints) ELSE 32 END)
WHERE id IN (
    SELECT id FROM tasks AS due
    WHERE due.state IN ('ready', 'leased') AND due.due_at <= NOW() AND due.next_hint_at <= NOW()
      AND (due.state = 'ready' OR due.lease_until < NOW())
      AND (due.key IS NULL OR NOT EXISTS (
          SELECT 1 FROM tasks AS other WHERE other.key = due.key AND other.id < due.id AND other.state IN ('ready', 'leased')))
    ORDER BY due.due_at LIMIT :batch FOR_UPDATE SKIP_LOCKED)
RETURNING id, queue
"""


def run(*, batch_max: int = limits.sweep_batch_max) -> int:
    """Hint up to `batch_max` due tasks, in a transaction of its own; returns how many. Call again while it returns `batch_max`."""
    # A hint that is dropped would still put the row's next hint off, so that a broker's return would be noticed late.
    batch = hints.capacity(batch_max)
    if batch == 0:
        return 0
    with database.transaction():
        due = database.run(_DUE, batch=batch, grace_s=limits.task_hint_grace_s)
    for task in sorted(due, key=lambda task: int(task["id"])):  # RETURNING promises no order
        hints.give(hints.Hint(task["id"], task["queue"]))
    return len(due)


def run_all() -> int:
    """Sweep until nothing is due; for start-up."""
    total = 0
    while True:
        count = run()
        total += count
        if count < limits.sweep_batch_max:
            return total
