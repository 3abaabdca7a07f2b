"""Overview of an account: its provider's report, its last events and sends, and its backlog."""

from __future__ import annotations

from typing import Any

from models.channels import health
from models.kernel import database


def of_account(channel: str, account: str) -> dict[str, Any]:
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
        "told": dict(known.told),
        "told_at": known.told_at,
        "last_event_at": database.instant(last["event_at"]),
        "last_failed_event": failed["reason"] if failed else None,
        "last_failed_delivery": undelivered["last_error"] if undelivered else None,
        **{
            name: int(last[name])
            for name in ("events_waiting", "events_failed", "deliveries_waiting", "deliveries_troubled")
        },
    }
