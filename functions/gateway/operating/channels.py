"""/v1/channels: the published channel accounts and their health."""

from __future__ import annotations

from datetime import datetime

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.channels import accounts, overview
from models.channels.accounts import ChannelAccount
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject

operations = Operations()


class ChannelHealth(msgspec.Struct):
    """The health of an account. `error` is the account's problem; `told` is the last report of its provider.

    `error_at` is the time of the present error, `error_since` the beginning of the problem. `sending_error` is the last
    error of the account's sends, if none was accepted since `sending_failed_since`.
    """

    ok: bool
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


class Channel(msgspec.Struct):
    """A channel account. `config` is its published configuration, which names credentials without holding them."""

    channel: str
    account: str
    version: int
    enabled: bool
    config: JsonObject
    health: ChannelHealth


class Channels(msgspec.Struct):
    """All channel accounts, by name."""

    items: list[Channel]


@operations.add(
    "GET",
    "/v1/channels",
    summary="List channel accounts",
    needs=Permission.inbox_read,
    answers={200: Channels},
)
def list_channels(call: Call) -> Answer:
    """Each with its health."""
    return Answer(Channels([_shown(account) for account in accounts.every()]))


@operations.add(
    "GET",
    "/v1/channels/{channel}/{account}",
    summary="Get a channel account",
    needs=Permission.inbox_read,
    answers={200: Channel},
    problems=(404,),
)
def read_channel(call: Call) -> Answer:
    """With its last event, its last error, its waiting work and the last status of its provider."""
    for account in accounts.every():
        if (account.channel, account.name) == (call.params["channel"], call.params["account"]):
            return Answer(_shown(account))
    raise NotFound(f"there is no {call.params['channel'][:40]} account {call.params['account'][:40]!r}")


def _shown(account: ChannelAccount) -> Channel:
    known = overview.of_account(account.channel, account.name)
    enabled = account.config.get("enabled", True) is not False
    health = ChannelHealth(ok=enabled and known["error"] is None, **known)
    return Channel(account.channel, account.name, account.version, enabled, account.config, health)
