"""The tasks of a receiver's waiting deliveries: they rest with their receiver and come back with it, each time by one
statement.

Without this, each delivery to a resting receiver is claimed, looked at and put back, again at the end of each rest: a
backlog of thousands is thousands of task runs an hour that call nobody. All functions join the caller's transaction,
which holds the subscription's row, so that two of them never work on the same receiver at once.
"""

from __future__ import annotations

from uuid import UUID

from models.events import subscription_limits, subscription_rules
from models.kernel import clock, database, limits
from models.subscriptions.queries import Subscription

_WAITING = "kind = 'deliver_webhook' AND state = 'ready' AND payload ->> 'subscription_id' = :subscription"
# One probe at the end of the rest: the delivery that was tried least. The others follow when its outcome is known, if
# nothing moved them meanwhile.
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
    """Seconds for which the receiver is left alone; 0 or less: it may be called.

    An end beyond the rest that its failures have earned is none: the clock that stored it was ahead, or was set back
    since.
    """
    until = subscription.blocked_until
    left_s = 0.0 if until is None else (until - clock.now()).total_seconds()
    possible = left_s <= subscription_rules.rest_s(subscription.failures) + limits.clock_difference_s_max
    return left_s if possible else 0.0


def rest(subscription_id: UUID, *, rest_s: float) -> None:
    """Make the waiting deliveries due after a rest of `rest_s` seconds from now. One whose own backoff ends later keeps
    its time.
    """
    database.execute(
        _REST,
        subscription=str(subscription_id),
        rest_s=rest_s,
        probe_s=subscription_limits.probe_s,
        gap_s=subscription_limits.return_gap_s,
    )


def release(subscription_id: UUID) -> None:
    """Make the waiting deliveries due now, the oldest first and `return_gap_s` apart."""
    database.execute(_RELEASE, subscription=str(subscription_id), gap_s=subscription_limits.return_gap_s)


def end(subscription_id: UUID) -> None:
    """Finish the tasks of deliveries that are not to be made any more."""
    database.execute(
        f"UPDATE tasks SET state = 'done', finished_at = NOW() WHERE {_WAITING}",
        subscription=str(subscription_id),
    )
