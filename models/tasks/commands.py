"""Write the task ledger. Commands join the caller's transaction unless they say otherwise."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from models.kernel import clock, limits
from models.kernel.errors import LeaseLost, Unavailable
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import Batch, from_json
from models.kernel.storage.prepared import Prepared
from models.kernel.storage.together import run_together
from models.kernel.telemetry import logs, trace
from models.tasks import rules, wakeups
from models.tasks.kinds import KINDS, TaskKind, kind_of
from models.tasks.payloads import Payload, Undecodable, decoded, encoded
from models.tasks.tables import Task

log = logs.get("tasks")


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A task that this worker may run now. `lease_id` is the fencing token: only its holder can settle the task.

    `payload`: of the kind's type; `Undecodable` where it does not fit; as stored where this release does not know the
    kind.
    """

    id: int
    kind: str
    queue: str
    key: str | None
    payload: Payload | Undecodable | JsonObject
    attempts: int
    lease_id: str
    due_at: datetime
    created_at: datetime
    first_run_at: datetime
    trace: str | None


def row(
    payload: Payload,
    *,
    key: str | None = None,
    due_at: datetime | None = None,
    dedupe_key: str | None = None,
    caused_by: str | None = None,
) -> database.Row:
    """Return the row of a new task, for a `Batch`; use `enqueue` where there is no batch. The payload's type decides
    the kind.

    Tasks of one `key` run one after another; lock the row that the key names before enqueueing, so that ids follow the
    commit order. A second task with the same `dedupe_key` is not stored.
    """
    kind = kind_of(payload)
    return stored_row(
        kind.name,
        encoded(payload),
        queue=kind.queue,
        key=key,
        due_at=due_at,
        dedupe_key=dedupe_key,
        caused_by=caused_by,
    )


def stored_row(
    kind: str,
    payload: str,
    *,
    queue: str,
    key: str | None = None,
    due_at: datetime | None = None,
    dedupe_key: str | None = None,
    caused_by: str | None = None,
) -> database.Row:
    """Return the row of a task whose payload is JSON already: a timer's, which may be of a kind that only a newer
    release knows.
    """
    assert len(payload) <= limits.task_payload_bytes_max, f"payload of {kind} has {len(payload)} characters; send ids"
    now = clock.now()
    result = {
        "kind": kind,
        "queue": queue,
        "key": key,
        "payload": payload,
        "dedupe_key": dedupe_key,
        "caused_by": caused_by,
        "trace": trace.current_header(),
        "created_at": now,
    }
    if due_at is not None or not database.is_postgres():
        # Else the columns' defaults: PostgreSQL's own clock, so that a program whose clock runs ahead makes no task
        # wait.
        due = due_at or now
        result["due_at"] = due
        # The wakeup goes out right after the commit; the sweep leaves the row alone until it is overdue.
        result["next_hint_at"] = max(due, now + timedelta(seconds=limits.task_wakeup_grace_s))
    return result


def enqueue(
    payload: Payload,
    *,
    key: str | None = None,
    due_at: datetime | None = None,
    dedupe_key: str | None = None,
    caused_by: str | None = None,
) -> int | None:
    """Add a task and wake a worker after the commit; returns its id, or None when `dedupe_key` is taken."""
    batch = Batch()
    add(batch, row(payload, key=key, due_at=due_at, dedupe_key=dedupe_key, caused_by=caused_by))
    return write(batch)[0][0]


def move(dedupe_key: str, due_at: datetime) -> None:
    """Make the waiting task of a `dedupe_key` due at another time. A task that runs or has ended stays as it is."""
    found = database.run(
        "UPDATE tasks SET due_at = :due_at, next_hint_at = :hint_at WHERE dedupe_key = :key AND state = 'ready'"
        " RETURNING id, queue",
        due_at=due_at,
        hint_at=max(due_at, clock.now() + timedelta(seconds=limits.task_wakeup_grace_s)),
        key=dedupe_key,
    )
    for task in found:
        wait_s = (due_at - clock.now()).total_seconds()
        if wait_s <= limits.local_delay_s_max:
            wake_after_commit(task["id"], task["queue"], max(0.0, wait_s))


def add(batch: Batch, task_row: Mapping[str, Any]) -> int:
    """Add a task row to a batch that `write` will execute."""
    return batch.insert("tasks", task_row, returning="id", unless_exists=task_row["dedupe_key"] is not None)


def write(batch: Batch) -> tuple[list[int | None], list[Any]]:
    """Execute a batch and wake workers for its due tasks after the commit. Returns the task ids and all results."""
    results = batch.write()
    ids: list[int | None] = []
    now = clock.now()
    for position, (table, values) in enumerate(batch.rows()):
        if table != "tasks":
            continue
        ids.append(results[position])
        if results[position] is not None:
            wait_s = (values["due_at"] - now).total_seconds() if "due_at" in values else 0.0
            if wait_s <= limits.local_delay_s_max:
                wake_after_commit(results[position], values["queue"], max(0.0, wait_s))
    return ids, results


def wake_after_commit(task_id: int, queue: str, wait_s: float = 0.0) -> None:
    """Wake a worker of `queue` for the task after the commit."""
    wakeup = wakeups.Wakeup(task_id, queue, wait_s)
    database.on_commit(lambda: wakeups.give(wakeup))


# A claim restarts the wakeups at the lease's end. Otherwise a task that waited for a worker would keep the long pause
# between its wakeups (up to 160 s), and after its worker's death the task and its key would wait for that pause instead
# of the lease's end.
_CLAIM = Prepared(
    """
UPDATE tasks SET state = 'leased', attempts = attempts + 1, lease_id = :lease_id, lease_until = NOW_PLUS(:lease_s),
    next_hint_at = NOW_PLUS(:lease_s), hints = 0, first_run_at = COALESCE(first_run_at, NOW())
WHERE id = :id
  AND ((state = 'ready' AND due_at <= NOW()) OR (state = 'leased' AND lease_until < NOW() AND :take_expired
      AND (:take_expired_sends OR queue <> 'sends')))
  AND (key IS NULL OR NOT EXISTS (
      SELECT 1 FROM tasks AS other WHERE other.key = tasks.key AND other.id <> tasks.id AND other.state IN ('ready', 'leased')
        AND (other.id < tasks.id OR (other.state = 'leased' AND other.lease_until >= NOW()))))
RETURNING id, kind, queue, key, payload, attempts, lease_id, due_at, created_at, first_run_at, trace
"""
)


# Two claims of one key at once would each read the state before the other's commit. The lock, which ends with the
# transaction, makes the second one wait. Its snapshot must be younger than the lock. (SQLite has one writer at a time.)
_LOCK_KEY = Prepared(
    "SELECT pg_advisory_xact_lock(7126502, hashtext(key)) FROM tasks WHERE id = :id AND key IS NOT NULL"
)


def claim(
    task_id: int, *, lease_s: float, take_expired: bool = True, take_expired_sends: bool = True
) -> ClaimedTask | None:
    """Lease the task for `lease_s` seconds, in a transaction of its own.

    Returns None when the task cannot run now: it is done, leased by another worker or not due, or an earlier task of
    its key is live. Without `take_expired`, an expired lease still counts; without `take_expired_sends`, only that of
    a send counts (queues/processes/outage.py).
    """
    values = {
        "id": task_id,
        "lease_id": uuid4().hex,
        "lease_s": lease_s,
        "take_expired": take_expired,
        "take_expired_sends": take_expired_sends,
    }
    rows = run_together([_LOCK_KEY, _CLAIM] if database.is_postgres() else [_CLAIM], values)
    if not rows:
        return None
    [found] = rows
    payload = found.pop("payload")  # converted below: a value that is not JSON makes the task a dead letter
    found, kind = Task.converted(found), KINDS.get(found["kind"])
    return ClaimedTask(
        id=found["id"],
        kind=found["kind"],
        queue=found["queue"],
        key=found["key"],
        payload=from_json(payload) if kind is None else decoded(kind.payload, payload),
        attempts=found["attempts"],
        lease_id=found["lease_id"],
        due_at=found["due_at"],
        created_at=found["created_at"],
        first_run_at=found["first_run_at"],
        trace=found["trace"],
    )


def extend(leases: Mapping[str, int], *, lease_s: float) -> None:
    """Renew the leases of running tasks (lease id -> task id), in a transaction of its own; their next wakeups
    move with them.
    """
    with database.transaction():
        for lease_id, task_id in leases.items():
            database.execute(
                "UPDATE tasks SET lease_until = NOW_PLUS(:lease_s), next_hint_at = NOW_PLUS(:lease_s), hints = 0"
                " WHERE id = :id AND lease_id = :lease_id AND state = 'leased'",
                id=task_id,
                lease_id=lease_id,
                lease_s=lease_s,
            )


def _settle(task: ClaimedTask, changes: str, **values: Any) -> None:
    """Change a leased task, fenced by its lease id. Raises LeaseLost when another worker took it over."""
    statement = Prepared(
        f"UPDATE tasks SET {changes}, lease_id = NULL, lease_until = NULL"
        " WHERE id = :id AND lease_id = :lease_id AND state = 'leased'"
    )
    cursor = database.execute(statement, values, id=task.id, lease_id=task.lease_id)
    if cursor.rowcount != 1:
        raise LeaseLost()


def finish(task: ClaimedTask) -> None:
    """Mark the task done, in the transaction of its effect, and wake the next of its key after the commit.

    Raises LeaseLost, which rolls the effect back, when the lease ran out and another worker took over.
    """
    _settle(task, "state = 'done', finished_at = NOW()")
    wake_next(task.key)


def patience_over(task: ClaimedTask, *, wait_s: float) -> str | None:
    """Say why the task must not wait another `wait_s` seconds (a provider that throttles without end), or None.

    A kind that this release does not know waits for a newer worker, however long.
    """
    spec = KINDS.get(task.kind)
    if spec is None or clock.now() + timedelta(seconds=wait_s) <= task.first_run_at + timedelta(
        seconds=spec.patience_s
    ):
        return None
    return f"given up after {spec.patience_s / 3600:.0f} hours"


def postpone(task: ClaimedTask, *, wait_s: float, reason: str) -> None:
    """Put the task back for later without counting the attempt (a rate limit, a 429, an unknown kind, a shutdown)."""
    _settle(
        task,
        "state = 'ready', attempts = attempts - 1, due_at = NOW_PLUS(:wait_s), next_hint_at = NOW_PLUS(:wait_s),"
        " hints = 0, last_error = :error",
        wait_s=wait_s,
        error=reason[: limits.error_chars_max],
    )
    if wait_s <= limits.local_delay_s_max:
        wake_after_commit(task.id, task.queue, wait_s)


def fail(
    task: ClaimedTask, error: str, *, permanent: bool, retry_after_s: float | None = None
) -> rules.Retry | rules.GiveUp:
    """Record a failed attempt: retry later with backoff, or make it a dead letter. Raises LeaseLost like `finish`."""
    spec = KINDS.get(task.kind) or TaskKind(task.kind)
    decision = rules.after_failure(
        spec,
        attempts=task.attempts,
        first_run_at=task.first_run_at,
        now=clock.now(),
        error=error,
        permanent=permanent,
        retry_after_s=retry_after_s,
        jitter=random.random(),  # noqa: S311 -- spreads retries, guards nothing
    )
    if isinstance(decision, rules.GiveUp):
        _settle(
            task,
            "state = 'dead', finished_at = NOW(), last_error = :error",
            error=_printable(decision.reason),
        )
        wake_next(task.key)
        log.error("task_dead", task_id=task.id, kind=task.kind, attempts=task.attempts)
        return decision
    _settle(
        task,
        "state = 'ready', due_at = NOW_PLUS(:wait_s), next_hint_at = NOW_PLUS(:wait_s), hints = 0, last_error = :error",
        wait_s=decision.wait_s,
        error=_printable(error),
    )
    if decision.wait_s <= limits.local_delay_s_max:
        wake_after_commit(task.id, task.queue, decision.wait_s)
    return decision


def _printable(error: str) -> str:
    return error.replace("\x00", "�")[: limits.error_chars_max]


def wake_next(key: str | None) -> None:
    """Wake a worker for the next live task of the key. The look-up follows the commit, or it would miss a task
    committed meanwhile.
    """
    if key is not None:
        database.on_commit(lambda: _wake_head(key))


_HEAD = Prepared(
    "SELECT id, queue FROM tasks WHERE key = :key AND state = 'ready' AND due_at <= NOW() ORDER BY id LIMIT 1"
)


def _wake_head(key: str) -> None:
    """Wake a worker for the first task of the key. Runs after a commit; if it fails, the sweep repeats the wakeup."""
    try:
        with database.connection():
            head = database.one(_HEAD, key=key)
    except Unavailable as error:
        log.warning("next_not_woken", code=error.code)
        return
    if head is not None:
        wakeups.give(wakeups.Wakeup(head["id"], head["queue"]))
