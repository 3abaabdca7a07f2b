"""Creates the deliveries of every event to its subscriptions, in the statement that writes the event.

The statement joins the batch's events with the committed subscriptions. So no delivery is lost or doubled, whatever the
order of commits. (A cursor over the log skips rows that commit late, or needs the transaction ids of one cluster, which
do not survive a restore.) The rows have no foreign keys, so no event waits for a transaction that changes a
subscription.

A desk without subscriptions pays nothing: each process caches for `notice_s` whether any subscription exists. The cache
is exact for a caller that waits `notice_s` after the first subscription was created, as its creation request does
(functions/gateway/operating/subscriptions.py).
"""

from __future__ import annotations

import threading
import time
from typing import Any

from models.events import subscription_limits, subscription_rules
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.kernel.telemetry import trace
from models.tasks import commands as tasks
from models.tasks.kinds import KINDS

# -- limits ----------------------------------------------------------------------------------------------------
notice_s = 5.0  # for which a process remembers that there are no subscriptions
_events_max = 200  # events of one batch in one statement; a change of a ticket writes some ten

# A webhook that is switched off after long failure keeps `missed` deliveries, which a replay sends later.
_DELIVERIES = """INSERT INTO webhook_deliveries (subscription_id, event_id, state, created_at)
 SELECT s.id, e.column1::uuid, CASE WHEN s.state = 'active' THEN 'pending' ELSE 'missed' END, :fan_now
 FROM (VALUES {places}) AS e
 JOIN subscription_event_types AS t ON t.event_type IN ('*', e.column2) JOIN subscriptions AS s ON s.id = t.subscription_id
 WHERE s.state IN ('active', 'switched_off') ON CONFLICT (subscription_id, event_id) DO NOTHING
 RETURNING subscription_id, event_id, state"""
# A delivery to a resting receiver waits with the others, until the probe's outcome is known. Without a rest
# PostgreSQL's own clock says when it is due, as in the columns' defaults, so that a program whose clock runs ahead
# makes no task wait.
_TASKS = """INSERT INTO tasks (kind, queue, payload, trace, created_at, due_at, next_hint_at)
 SELECT 'deliver_webhook', :fan_queue,
  ('{{"subscription_id":"' || d.subscription_id || '","event_id":"' || d.event_id || '"}}')::jsonb,
  :fan_trace, :fan_now, {due}, {wake} FROM {rows} AS d JOIN subscriptions AS s ON s.id = d.subscription_id
 WHERE d.state = 'pending' RETURNING id"""
_EARNED_S = (
    "CASE s.failures "
    + " ".join(
        f"WHEN {failures} THEN {subscription_rules.rest_s(failures)}"
        for failures in range(subscription_limits.failures_before_rest, subscription_limits.failures_before_rest + 20)
        if subscription_rules.rest_s(failures) < subscription_limits.rest_s_max
    )
    + f" ELSE {subscription_limits.rest_s_max} END"
)
# A later end than the failures have earned is none, as in waiting.rest_s: the clock that stored it was ahead, or was
# set back since.
_RESTS = f"s.blocked_until > NOW() AND s.blocked_until <= NOW_PLUS({_EARNED_S} + {limits.clock_difference_s_max})"
_POSTGRES_AFTER = "s.blocked_until + :fan_probe_s * interval '1 second'"
_SQLITE_AFTER = "now_plus(:fan_probe_s + 86400 * (julianday(s.blocked_until) - julianday(NOW())))"


class _Memory:
    """The cached existence of subscriptions, read once every `notice_s`. An answer from before a `forget` is not cached
    after it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found, self._until, self._generation = False, 0.0, 0

    def any(self) -> bool:
        with self._lock:
            generation = self._generation
            if time.monotonic() < self._until:
                return self._found
        asked_at = time.monotonic()
        found = database.one("SELECT 1 AS one FROM subscriptions WHERE state <> 'deleted' LIMIT 1") is not None
        with self._lock:
            if generation == self._generation:
                self._found, self._until = found, asked_at + notice_s
        return found

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._until = 0.0


_memory = _Memory()


def forget() -> None:
    """Empty the cache; after a subscription is created, and in tests that change databases."""
    _memory.forget()


def fan_out(batch: Batch) -> None:
    """Add the deliveries of the batch's events; a hook of `Batch.before_write`."""
    if not _memory.any():
        return
    found = [(str(v["event_id"]), v["event_type"]) for table, v in batch.rows() if table == "events"]
    for start in range(0, len(found), _events_max):
        _add(batch, found[start : start + _events_max], start)


def _add(batch: Batch, events: list[tuple[str, str]], start: int) -> None:
    values: database.Parameters = {
        "fan_now": clock.now(),
        "fan_trace": trace.current_header(),
        "fan_queue": KINDS["deliver_webhook"].queue,
        "fan_grace_s": limits.task_wakeup_grace_s,
        "fan_probe_s": subscription_limits.probe_s,
    }
    places = []
    for number, (event_id, event_type) in enumerate(events, start):
        values |= {f"fan_id{number}": event_id, f"fan_type{number}": event_type}
        places.append(f"(:fan_id{number}, :fan_type{number})")
    name = f"fan_out{start}"
    batch.insert_selected(_DELIVERIES.format(places=", ".join(places)), values, name=name)
    after, now, rows = _POSTGRES_AFTER, "NOW()", name
    if not database.is_postgres():
        # One statement after the other, and the clock that models.tasks.commands.row uses there.
        names = ", ".join(f":fan_id{number}" for number in range(start, start + len(events)))
        rows = f"(SELECT * FROM webhook_deliveries WHERE event_id IN ({names}))"
        after, now = _SQLITE_AFTER, ":fan_now"
    statement = _TASKS.format(
        rows=rows,
        due=f"CASE WHEN {_RESTS} THEN {after} ELSE {now} END",
        wake=f"CASE WHEN {_RESTS} THEN {after} ELSE NOW_PLUS(:fan_grace_s) END",
    )
    batch.insert_selected(statement, values, name=f"{name}_tasks", then=_wake)


def _wake(task_ids: list[Any]) -> None:
    for task_id in task_ids:
        tasks.wake_after_commit(task_id, KINDS["deliver_webhook"].queue)
