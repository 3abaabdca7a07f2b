"""How far a puller has read an account: Telegram's update offset, IMAP's UIDVALIDITY and UID.

Written in the transaction that stores what was read, so after a crash nothing is skipped, and what is read again is a repeat that the
inbox knows.
"""

from __future__ import annotations

from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel import clock, database
from models.kernel.batch import as_json, from_json


def get(account: ChannelAccount, name: str) -> dict[str, Any] | None:
    """The stored position called `name` (a mail folder, `updates`); None before the first."""
    with database.connection():
        row = database.one(
            "SELECT position FROM channel_positions WHERE channel = :channel AND account = :account AND name = :name",
            channel=account.channel,
            account=account.name,
            name=name,
        )
    if row is None:
        return None
    position: dict[str, Any] = from_json(row["position"])
    return position


def put(account: ChannelAccount, name: str, position: dict[str, Any]) -> None:
    """Keep the position; joins the caller's transaction, which stores what lies before it."""
    assert database.in_transaction(), "a position is true only together with what was read up to it"
    database.execute(
        "INSERT INTO channel_positions (channel, account, name, position, updated_at)"
        " VALUES (:channel, :account, :name, :position, :now) ON CONFLICT (channel, account, name)"
        " DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at",
        channel=account.channel,
        account=account.name,
        name=name,
        position=as_json(position),
        now=clock.now(),
    )
