"""The decisions that a person takes about dead letters. They join the caller's transaction."""

from __future__ import annotations

from models.kernel import limits
from models.kernel.errors import Conflict, NotFound
from models.kernel.storage import database
from models.tasks import commands
from models.tasks.kinds import KINDS


def retry(task_id: int) -> None:
    """Run a dead or discarded task again, with its attempts reset to 0. Raises NotFound, Conflict."""
    known = database.one("SELECT kind FROM tasks WHERE id = :id", id=task_id)
    spec = KINDS.get(known["kind"]) if known else None
    if spec is not None and spec.retried_at:
        raise Conflict(f"running this task again would change nothing; retry what it was for: POST {spec.retried_at}")
    found = database.one(
        "UPDATE tasks SET state = 'ready', attempts = 0, due_at = NOW(), first_run_at = NULL, finished_at = NULL,"
        " hints = 0,"
        " next_hint_at = NOW_PLUS(:grace_s) WHERE id = :id AND state IN ('dead', 'discarded') RETURNING id, queue",
        id=task_id,
        grace_s=limits.task_wakeup_grace_s,
    )
    if found is None:
        _refuse(task_id, "retried")
    else:
        commands.wake_after_commit(found["id"], found["queue"])


def discard(task_id: int) -> None:
    """Discard a dead letter: it needs no further attention. Raises NotFound, Conflict."""
    found = database.one(
        "UPDATE tasks SET state = 'discarded', finished_at = NOW() WHERE id = :id AND state = 'dead' RETURNING id",
        id=task_id,
    )
    if found is None:
        _refuse(task_id, "discarded")


def _refuse(task_id: int, wish: str) -> None:
    found = database.one("SELECT state FROM tasks WHERE id = :id", id=task_id)
    if found is None:
        raise NotFound(f"there is no task {task_id}")
    raise Conflict(f"task {task_id} is {found['state']}; only a dead one can be {wish}")
