"""Read positions of pulled accounts: Telegram's update offset, IMAP's UIDVALIDITY and UID.

A position is written in the transaction that stores the events before it. After a crash no event is skipped, and the
inbox recognises an event that is read again.
"""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.channels.tables import ChannelPosition
from models.kernel import clock
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import as_json


def get(account: ChannelAccount, name: str) -> JsonObject | None:
    """Return the position called `name` (a mail folder, `updates`); None before the first."""
    with database.connection():
        row = database.one(
            "SELECT position FROM channel_positions WHERE channel = :channel AND account = :account AND name = :name",
            channel=account.channel,
            account=account.name,
            name=name,
        )
    if row is None:
        return None
    position: JsonObject = ChannelPosition.converted(row)["position"]
    return position


def put(account: ChannelAccount, name: str, position: JsonObject) -> None:
    """Store the position. Joins the caller's transaction, which stores the events before it."""
    assert database.in_transaction(), "a position and the events before it belong to one transaction"
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
