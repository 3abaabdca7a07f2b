"""Health of channel accounts, for people: a login refused, a token revoked, a mailbox that does not answer.

Each report is a transaction of its own, or joins the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.channels.tables import ChannelHealth
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.ports.outbound import SendOutcome


@dataclass(frozen=True, slots=True)
class Health:
    """An account's health.

    `error`: the present error; None: none is known. `told`: the provider's last report about the account, and
    `last_error` and `last_error_at` of an error that is over.
    """

    error: str | None = None
    error_at: datetime | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    told_at: datetime | None = None


def of(channel: str, account: str) -> Health:
    """Return the account's health; empty when nothing was reported."""
    with database.connection():
        row = database.one(
            "SELECT error, error_at, told, told_at FROM channel_health WHERE channel = :channel AND account = :account",
            channel=channel,
            account=account,
        )
    if row is None:
        return Health()
    return Health(**ChannelHealth.converted(row))


def report_error(channel: str, account: str, text: str) -> None:
    """Store an account's error. `text` is for people: no address, no token, no password.

    `error_at` is the time at which this error began: the same text again leaves it.
    """
    stored = text.replace("\x00", "\ufffd")[: limits.inbox_reason_chars_max]
    with database.transaction():
        database.execute(
            "INSERT INTO channel_health (channel, account, error, error_at) VALUES (:channel, :account, :error, :now)"
            " ON CONFLICT (channel, account) DO UPDATE SET error = excluded.error, error_at = excluded.error_at"
            " WHERE channel_health.error IS NULL OR channel_health.error <> excluded.error",
            channel=channel,
            account=account,
            error=stored,
            now=clock.now(),
        )


def report_well(channel: str, account: str, told: Mapping[str, Any] | None = None) -> None:
    """Record that the account works. `told`: the provider's report about it, merged into the earlier one."""
    names = {"channel": channel, "account": account}
    with database.transaction():
        row = database.one(
            "INSERT INTO channel_health (channel, account) VALUES (:channel, :account) ON CONFLICT (channel, account)"
            " DO UPDATE SET channel = excluded.channel RETURNING error, error_at, told",
            names,
        )
        assert row is not None
        before = ChannelHealth.converted(row)
        known = {**before["told"], **(told or {})}
        if row["error"] is not None:
            began = before["error_at"]
            known |= {
                "last_error": row["error"],
                "last_error_at": None if began is None else clock.rfc3339(began),
            }
        database.execute(
            "UPDATE channel_health SET error = NULL, error_at = NULL, told = :told, told_at = :now"
            " WHERE channel = :channel AND account = :account",
            names,
            told=as_json(known),
            now=clock.now(),
        )


_SENDING = "sending: "


def report_send_error(channel: str, account: str, text: str) -> None:
    """Store an account's error that a send found; the next successful send clears it."""
    report_error(channel, account, _SENDING + text)


def report_outcome(channel: str, account: str, outcome: SendOutcome) -> None:
    """Store what a send reports about the account itself; for sends without a delivery."""
    if outcome.account_error is None and outcome.kind != "accepted":
        return
    with database.transaction():
        if outcome.account_error is not None:
            report_send_error(channel, account, outcome.account_error)
        else:
            report_sent(channel, account)


def report_sent(channel: str, account: str) -> None:
    """Clear the error that an earlier send found; other errors stay. Writes nothing without such an error.

    Joins the caller's transaction.
    """
    database.execute(
        "UPDATE channel_health SET error = NULL, error_at = NULL WHERE channel = :channel AND account = :account"
        " AND error LIKE :sending",
        channel=channel,
        account=account,
        sending=_SENDING + "%",
    )
