"""Queries for subscriptions, their deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.kernel import database
from models.kernel.batch import from_json
from models.kernel.errors import NotFound

_COLUMNS = (
    "id, url, description, event_types, include_bodies, state, secret, previous_secret, previous_secret_until,"
    " failures,"
    " failing_since, blocked_until, switched_off_at, switched_off_reason, last_delivered_at, created_by, version,"
    " created_at,"
    " updated_at"
)
_INSTANTS = (
    "previous_secret_until",
    "failing_since",
    "blocked_until",
    "switched_off_at",
    "last_delivered_at",
    "created_at",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A receiver of events. `secret` and `previous_secret` sign the calls and stay out of list and read responses."""

    id: UUID
    url: str
    description: str
    event_types: list[str]
    include_bodies: bool
    state: str
    secret: str
    previous_secret: str | None
    previous_secret_until: datetime | None
    failures: int
    failing_since: datetime | None
    blocked_until: datetime | None
    switched_off_at: datetime | None
    switched_off_reason: str | None
    last_delivered_at: datetime | None
    created_by: str
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def active(self) -> bool:
        return self.state == "active"


def _from(row: Mapping[str, Any]) -> Subscription:
    values = dict(row) | {name: database.instant(row[name]) for name in _INSTANTS}
    values["id"] = UUID(str(row["id"]))
    values["event_types"] = from_json(row["event_types"])
    values["include_bodies"] = bool(row["include_bodies"])
    return Subscription(**values)


def find(subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """Read a subscription, or return None if it is missing or deleted; `lock` locks its row."""
    places = "FOR_UPDATE" if lock else ""
    columns = _COLUMNS
    row = database.one(
        f"SELECT {columns} FROM subscriptions WHERE id = :id AND state <> 'deleted' {places}",
        id=subscription_id,
    )
    return None if row is None else _from(row)


def get(subscription_id: UUID, *, lock: bool = False) -> Subscription:
    """Read a subscription; `lock` locks its row. Raises NotFound."""
    found = find(subscription_id, lock=lock)
    if found is None:
        raise NotFound(f"there is no webhook {subscription_id}")
    return found


def page(*, before: tuple[datetime, UUID] | None, limit: int) -> list[Subscription]:
    """List subscriptions, newest first."""
    columns = _COLUMNS
    where = "" if before is None else "AND (created_at < :at OR (created_at = :at AND id < :id))"
    values = {} if before is None else {"at": before[0], "id": before[1]}
    rows = database.run(
        f"SELECT {columns} FROM subscriptions WHERE state <> 'deleted' {where} ORDER BY created_at DESC, id DESC"
        " LIMIT :limit",
        values,
        limit=limit,
    )
    return [_from(row) for row in rows]


def count() -> int:
    """Count the subscriptions that are not deleted."""
    row = database.one("SELECT count(*) AS n FROM subscriptions WHERE state <> 'deleted'")
    return int(row["n"]) if row else 0


def noticed_by_all(at: datetime) -> bool:
    """Whether every process must know by now that subscriptions exist.

    One subscription is at least a minute old; the minute allows for differences between clocks.
    """
    row = database.one(
        "SELECT 1 AS one FROM subscriptions WHERE state <> 'deleted' AND created_at < :before LIMIT 1",
        before=at - timedelta(seconds=60),
    )
    return row is not None


def troubled() -> list[Subscription]:
    """List the subscriptions that are switched off or are failing, which need attention."""
    columns = _COLUMNS
    rows = database.run(
        f"SELECT {columns} FROM subscriptions WHERE state = 'switched_off' OR (state = 'active' AND failing_since"
        " IS NOT NULL)"
        " ORDER BY created_at"
    )
    return [_from(row) for row in rows]


def pending(subscription_id: UUID) -> int:
    """Count the pending deliveries of a subscription."""
    row = database.one(
        "SELECT count(*) AS n FROM webhook_deliveries WHERE subscription_id = :id AND state = 'pending'",
        id=subscription_id,
    )
    return int(row["n"]) if row else 0


_DELIVERY = (
    "SELECT d.event_id, d.state, d.attempts, d.last_status, d.last_error, d.created_at, d.finished_at, e.event_type,"
    " e.occurred_at FROM webhook_deliveries AS d LEFT JOIN events AS e ON e.event_id = d.event_id"
    " WHERE d.subscription_id = :subscription"
)


def delivery(subscription_id: UUID, event_id: UUID) -> dict[str, Any] | None:
    """Read one delivery with its attempts, or return None."""
    statement = f"{_DELIVERY} AND d.event_id = :event"
    row = database.one(statement, subscription=subscription_id, event=event_id)
    return None if row is None else _with_attempts(subscription_id, [row])[0]


def deliveries(subscription_id: UUID, *, state: str | None, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """List a subscription's deliveries with their attempts, newest event first."""
    conditions = " AND d.state = :state" if state is not None else ""
    where = " AND d.event_id < :before" if before is not None else ""
    values: dict[str, Any] = {"subscription": subscription_id, "limit": limit}
    values |= ({"state": state} if state is not None else {}) | ({"before": before} if before else {})
    statement = f"{_DELIVERY}{conditions}{where} ORDER BY d.event_id DESC LIMIT :limit"
    return _with_attempts(subscription_id, database.run(statement, values))


def _with_attempts(subscription_id: UUID, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places, values = database.in_list("event", [str(row["event_id"]) for row in rows])
    attempts: dict[str, list[dict[str, Any]]] = {}
    for one in database.run(
        "SELECT event_id, number, started_at, duration_ms, status, response, error FROM webhook_attempts"
        f" WHERE subscription_id = :subscription AND event_id IN {places} ORDER BY number",
        values,
        subscription=subscription_id,
    ):
        one["started_at"] = database.instant(one["started_at"])
        attempts.setdefault(str(one["event_id"]), []).append(one)
    for row in rows:
        row["attempt_log"] = attempts.get(str(row["event_id"]), [])
        for name in ("created_at", "finished_at", "occurred_at"):
            row[name] = database.instant(row[name])
    return rows


def event(event_id: UUID) -> dict[str, Any] | None:
    """Read the fields of an event that a payload needs, or return None if the event was deleted."""
    row = database.one(
        "SELECT event_id, event_type, event_version, occurred_at, aggregate, aggregate_id, sequence, actor_kind,"
        " actor_id,"
        " request_id, payload FROM events WHERE event_id = :id",
        id=event_id,
    )
    if row is not None:
        row["payload"], row["occurred_at"] = from_json(row["payload"]), database.instant(row["occurred_at"])
        row["aggregate_id"], row["event_id"] = str(row["aggregate_id"]), str(row["event_id"])
    return row


def message(message_id: str) -> dict[str, Any] | None:
    """Read the current version of the message that an event is about, or return None."""
    return database.one(
        "SELECT id, direction, kind, author_name, subject, body FROM messages WHERE id = :id", id=message_id
    )
