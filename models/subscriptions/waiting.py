"""Tasks of the deliveries that wait for a receiver that rests.

The tasks rest with their receiver and return with it; each change is one statement for all tasks. Without this,
workers would claim each delivery at the end of each rest and put it back. With a backlog of thousands, that makes
thousands of task runs an hour without a call.

All functions join the caller's transaction. The caller has locked the subscription's row, so two transactions never
change the tasks of the same receiver at the same time.
"""

from __future__ import annotations

from uuid import UUID

from models.events import subscription_limits, subscription_rules
from models.kernel import clock, limits
from models.kernel.storage import database
from models.subscriptions.queries import Subscription

_WAITING = "kind = 'deliver_webhook' AND state = 'ready' AND payload ->> 'subscription_id' = :subscription"
# At the end of the rest one delivery is sent as a probe: the one with the fewest attempts. The others become due after
# the outcome of the probe is known, unless another statement has moved them by then.
_REST = f"""
WITH waiting AS (
    SELECT id, row_number() OVER (ORDER BY attempts, id) AS place FROM tasks
    WHERE {_WAITING} AND due_at < NOW_PLUS(:rest_s + :probe_s))
UPDATE tasks SET hints = 0,
    due_at = NOW_PLUS(:rest_s + CASE WHEN waiting.place = 1 THEN 0 ELSE :probe_s + waiting.place * :gap_s END),
    next_hint_at = NOW_PLUS(:rest_s + CASE WHEN waiting.place = 1 THEN 0 ELSE :probe_s + waiting.place * :gap_s END)
FROM waiting WHERE tasks.id = waiting.id AND tasks.state = 'ready'
"""
_RELEASE = f"""
WITH waiting AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM tasks WHERE {_WAITING} AND due_at > NOW())
UPDATE tasks SET hints = 0, due_at = NOW_PLUS(waiting.place * :gap_s), next_hint_at = NOW_PLUS(waiting.place * :gap_s)
FROM waiting WHERE tasks.id = waiting.id AND tasks.state = 'ready'
"""


def rest_s(subscription: Subscription) -> float:
    """Return the remaining rest of the receiver in seconds; with 0 or less, the receiver may be called.

    The function ignores an end later than the failure count allows. Either the clock that stored the end was ahead, or
    the clock has been set back since then.
    """
    until = subscription.blocked_until
    left_s = 0.0 if until is None else (until - clock.now()).total_seconds()
    possible = left_s <= subscription_rules.rest_s(subscription.failures) + limits.clock_difference_s_max
    return left_s if possible else 0.0


def rest(subscription_id: UUID, *, rest_s: float) -> None:
    """Make the waiting deliveries due after a rest of `rest_s` seconds from now.

    A delivery whose own backoff ends later keeps its time.
    """
    database.execute(
        _REST,
        subscription=str(subscription_id),
        rest_s=rest_s,
        probe_s=subscription_limits.probe_s,
        gap_s=subscription_limits.return_gap_s,
    )


def release(subscription_id: UUID) -> None:
    """Make the waiting deliveries due from now on, oldest first, `return_gap_s` apart."""
    database.execute(_RELEASE, subscription=str(subscription_id), gap_s=subscription_limits.return_gap_s)


def end(subscription_id: UUID) -> None:
    """Finish the waiting tasks of deliveries that must not be sent any more."""
    database.execute(
        f"UPDATE tasks SET state = 'done', finished_at = NOW() WHERE {_WAITING}",
        subscription=str(subscription_id),
    )
