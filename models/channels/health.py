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
from models.kernel.storage.prepared import Prepared
from models.ports.outbound import SendOutcome


@dataclass(frozen=True, slots=True)
class Health:
    """An account's health.

    `error`: the present error; None: none is known. `error_at` is the beginning of this error, `error_since` that of
    the trouble, whose text may have changed. `told`: the provider's last report about the account, and `last_error` and
    `last_error_at` of an error that is over. `sending_error`: the error of the last failed send, when no send was
    accepted since `sending_failed_since`: the provider may be away.
    """

    error: str | None = None
    error_at: datetime | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    told_at: datetime | None = None
    error_since: datetime | None = None
    sending_error: str | None = None
    sending_failed_since: datetime | None = None


def of(channel: str, account: str) -> Health:
    """Return the account's health; empty when nothing was reported."""
    with database.connection():
        row = database.one(
            "SELECT error, error_at, told, told_at, error_since, sending_error, sending_failed_since"
            " FROM channel_health WHERE channel = :channel AND account = :account",
            channel=channel,
            account=account,
        )
    if row is None:
        return Health()
    return Health(**ChannelHealth.converted(row))


def troubled(most: int) -> list[tuple[str, Health]]:
    """Return the accounts with an error or with failing sends, as `channel/account`, by name."""
    rows = database.run(
        "SELECT channel, account, error, error_at, told, told_at, error_since, sending_error, sending_failed_since"
        " FROM channel_health WHERE error IS NOT NULL OR sending_error IS NOT NULL ORDER BY channel, account"
        " LIMIT :most",
        most=most,
    )
    found = [ChannelHealth.converted(row) for row in rows]
    return [(f"{row.pop('channel')}/{row.pop('account')}", Health(**row)) for row in found]


def report_error(channel: str, account: str, text: str) -> None:
    """Store an account's error. `text` is for people: no address, no token, no password.

    `error_at` is the time at which this error began: the same text again leaves it. Another text leaves
    `error_since`.
    """
    stored = _storable(text)
    with database.transaction():
        database.execute(
            "INSERT INTO channel_health (channel, account, error, error_at, error_since) VALUES (:channel, :account,"
            " :error, :now, :now) ON CONFLICT (channel, account) DO UPDATE SET error = excluded.error,"
            " error_at = excluded.error_at, error_since = coalesce(channel_health.error_since, excluded.error_since)"
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
            "UPDATE channel_health SET error = NULL, error_at = NULL, error_since = NULL, told = :told, told_at = :now"
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
    """Store what the outcome of a send says about the account and its provider. Joins a transaction, or opens one.

    A refusal of one message says nothing about the provider, nor does a wait that it asks for.
    """
    if outcome.account_error is not None:
        with database.transaction():
            report_send_error(channel, account, outcome.account_error)
    elif outcome.kind == "accepted":
        with database.transaction():
            report_sent(channel, account)
    elif outcome.kind in ("transient", "unknown") and not outcome.partly_sent and outcome.new_address is None:
        _report_failed_send(channel, account, outcome.detail)


def _report_failed_send(channel: str, account: str, text: str) -> None:
    """Store the error of a send. `sending_failed_since` stays until a send is accepted."""
    with database.transaction():
        database.execute(
            "INSERT INTO channel_health (channel, account, sending_error, sending_failed_since) VALUES (:channel,"
            " :account, :error, :now) ON CONFLICT (channel, account) DO UPDATE SET"
            " sending_error = excluded.sending_error, sending_failed_since ="
            " coalesce(channel_health.sending_failed_since, excluded.sending_failed_since)"
            " WHERE channel_health.sending_error IS NULL OR channel_health.sending_error <> excluded.sending_error",
            channel=channel,
            account=account,
            error=_storable(text),
            now=clock.now(),
        )


def report_sent(channel: str, account: str) -> None:
    """Clear the errors that earlier sends found; other errors stay. Writes nothing without such an error.

    Joins the caller's transaction.
    """
    database.execute(
        Prepared(
            "UPDATE channel_health SET sending_error = NULL, sending_failed_since = NULL,"
            " error = CASE WHEN error LIKE :sending THEN NULL ELSE error END,"
            " error_at = CASE WHEN error LIKE :sending THEN NULL ELSE error_at END,"
            " error_since = CASE WHEN error LIKE :sending THEN NULL ELSE error_since END"
            " WHERE channel = :channel AND account = :account"
            " AND (error LIKE :sending OR sending_failed_since IS NOT NULL)"
        ),
        channel=channel,
        account=account,
        sending=_SENDING + "%",
    )


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")[: limits.inbox_reason_chars_max]
