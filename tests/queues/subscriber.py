"""What tests of outgoing webhooks share: a subscriber, and what the desk knows of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from models.subscriptions import commands, queries
from models.subscriptions.queries import Subscription
from tests.desk import Desk
from tests.servers import Got, HttpReceiver


def subscribe(desk: Desk, receiver: HttpReceiver, *event_types: str, bodies: bool = False) -> Subscription:
    found = desk.command(
        commands.create,
        url=receiver.url,
        event_types=list(event_types or ["ticket_created"]),
        description="CRM",
        include_bodies=bodies,
        private=True,
        actor=desk.person("admin"),
    )
    assert isinstance(found, Subscription)
    return found


def signed_by(got: Got, secret: str) -> bool:
    """Written from the specification, without our code: id.timestamp.body, HMAC-SHA256, base64, one of several."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in got.headers["webhook-signature"].split(" ")


def states(desk: Desk, subscription: Subscription) -> list[str]:
    rows = desk.rows(
        "SELECT state FROM webhook_deliveries WHERE subscription_id = :id ORDER BY event_id",
        id=subscription.id,
    )
    return [row["state"] for row in rows]


def log_of(desk: Desk, subscription: Subscription) -> list[dict[str, Any]]:
    """The attempts of the newest delivery."""
    [newest] = desk.command(queries.deliveries, subscription.id, state=None, before=None, limit=1)
    log: list[dict[str, Any]] = newest["attempt_log"]
    return log


def reload(desk: Desk, subscription: Subscription) -> Subscription:
    found = desk.command(queries.get, subscription.id)
    assert isinstance(found, Subscription)
    return found


def pass_days(desk: Desk, days: float, *, step_h: float = 1.0) -> None:
    for _ in range(int(days * 24 / step_h)):
        desk.advance(hours=step_h)
        desk.run_due()
