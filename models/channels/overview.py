"""Overview of an account: its provider's report, its last events and sends, and its backlog."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from models.channels import health
from models.kernel.open_json import JsonObject
from models.kernel.storage import database


class AccountOverview(TypedDict):
    """The state of an account; `told` is the provider's own report.

    `sending_error`: the last error of its sends, none of which was accepted since `sending_failed_since`.
    """

    error: str | None
    error_at: datetime | None
    error_since: datetime | None
    sending_error: str | None
    sending_failed_since: datetime | None
    told: JsonObject
    told_at: datetime | None
    last_event_at: datetime | None
    last_failed_event: str | None
    last_failed_delivery: str | None
    events_waiting: int
    events_failed: int
    deliveries_waiting: int
    deliveries_troubled: int


def of_account(channel: str, account: str) -> AccountOverview:
    """Return the error, the last events and sends, and the backlog of an account."""
    names = {"channel": channel, "account": account}
    known = health.of(channel, account)
    last = database.one(
        "SELECT (SELECT max(received_at) FROM inbox WHERE channel = :channel AND account = :account) AS event_at,"
        " (SELECT count(*) FROM inbox WHERE channel = :channel AND account = :account AND status = 'stored') AS"
        " events_waiting,"
        " (SELECT count(*) FROM inbox WHERE channel = :channel AND account = :account AND status = 'failed') AS"
        " events_failed,"
        " (SELECT count(*) FROM deliveries WHERE channel = :channel AND account = :account"
        "  AND state IN ('pending', 'sending')) AS deliveries_waiting,"
        " (SELECT count(*) FROM deliveries WHERE channel = :channel AND account = :account"
        "  AND state IN ('failed', 'unknown')) AS deliveries_troubled",
        names,
    )
    assert last is not None
    failed = database.one(
        "SELECT reason FROM inbox WHERE channel = :channel AND account = :account AND status = 'failed'"
        " ORDER BY received_at DESC LIMIT 1",
        names,
    )
    undelivered = database.one(
        "SELECT last_error FROM deliveries WHERE channel = :channel AND account = :account AND state IN ('failed',"
        " 'unknown')"
        " ORDER BY created_at DESC LIMIT 1",
        names,
    )
    return {
        "error": known.error,
        "error_at": known.error_at,
        "error_since": known.error_since,
        "sending_error": known.sending_error,
        "sending_failed_since": known.sending_failed_since,
        "told": dict(known.told),
        "told_at": known.told_at,
        "last_event_at": database.instant(last["event_at"]),
        "last_failed_event": failed["reason"] if failed else None,
        "last_failed_delivery": undelivered["last_error"] if undelivered else None,
        "events_waiting": int(last["events_waiting"]),
        "events_failed": int(last["events_failed"]),
        "deliveries_waiting": int(last["deliveries_waiting"]),
        "deliveries_troubled": int(last["deliveries_troubled"]),
    }
