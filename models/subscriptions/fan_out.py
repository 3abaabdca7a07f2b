"""Give every event to the subscriptions that want it, in the statement that writes the event.

Neither a cached list of subscriptions (stale in other processes for seconds: events lost) nor a cursor over the log (rows that commit
late are skipped, or need the transaction ids of one cluster, which do not survive a restore): the database itself joins the
batch's events with the subscriptions that are committed by then. Without subscriptions that is a look into an empty index; on PostgreSQL
it is no statement of its own. The rows have no foreign keys, so no event ever waits for somebody who changes a subscription.
"""

from __future__ import annotations

from typing import Any

from models.kernel import clock, database, limits, trace
from models.kernel.batch import Batch
from models.tasks import commands as tasks
from models.tasks.kinds import KINDS

# -- limits ----------------------------------------------------------------------------------------------------
_events_max = 200  # of one batch told in one statement; a change of a ticket makes some ten

_MATCHES = """ FROM (VALUES {places}) AS e
 JOIN subscription_event_types AS t ON t.event_type IN ('*', e.column2) JOIN subscriptions AS s ON s.id = t.subscription_id"""
# Switched off after long failure: what happens meanwhile is kept, to be told when somebody switches it on again.
_DELIVERIES = """INSERT INTO webhook_deliveries (subscription_id, event_id, state, created_at)
 SELECT s.id, e.column1::uuid, CASE WHEN s.state = 'active' THEN 'pending' ELSE 'missed' END, :fan_now{matches}
 WHERE s.state IN ('active', 'switched_off') ON CONFLICT (subscription_id, event_id) DO NOTHING RETURNING event_id"""
_TASKS = """INSERT INTO tasks (kind, queue, payload, trace, created_at{due})
 SELECT 'deliver_webhook', :fan_queue,
  ('{{"subscription_id":"' || s.id || '","event_id":"' || e.column1 || '"}}')::jsonb, :fan_trace, :fan_now{due_values}{matches}
 WHERE s.state = 'active' RETURNING id"""


def fan_out(batch: Batch) -> None:
    """Add the deliveries of the batch's events; called when it is written (`Batch.before_write`)."""
    found = [(str(v["event_id"]), v["event_type"]) for table, v in batch.rows() if table == "events"]
    for start in range(0, len(found), _events_max):
        _add(batch, found[start : start + _events_max], start)


def _add(batch: Batch, events: list[tuple[str, str]], start: int) -> None:
    values: dict[str, Any] = {
        "fan_now": clock.now(),
        "fan_trace": trace.current_header(),
        "fan_queue": KINDS["deliver_webhook"].queue,
        "fan_grace_s": limits.task_hint_grace_s,
    }
    places = []
    for number, (event_id, event_type) in enumerate(events, start):
        values |= {f"fan_id{number}": event_id, f"fan_type{number}": event_type}
        places.append(f"(:fan_id{number}, :fan_type{number})")
    matches = _MATCHES.format(places=", ".join(places))
    own_clock = not database.is_postgres()  # as models.tasks.commands.row: PostgreSQL has defaults of its own
    batch.insert_selected(_DELIVERIES.format(matches=matches), values, then=_written)
    batch.insert_selected(
        _TASKS.format(
            matches=matches,
            due=", due_at, next_hint_at" if own_clock else "",
            due_values=", :fan_now, NOW_PLUS(:fan_grace_s)" if own_clock else "",
        ),
        values,
        then=_hint,
    )


def _written(event_ids: list[Any]) -> None:
    """Nothing follows from the rows themselves."""


def _hint(task_ids: list[Any]) -> None:
    for task_id in task_ids:
        tasks.hint_after_commit(task_id, KINDS["deliver_webhook"].queue)
