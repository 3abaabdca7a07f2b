"""The storage of pulled events, with the position behind them in one transaction, so that a crash neither loses nor
doubles events.

Channels call it, because they only translate and never write to the domain themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.channels import positions
from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.telemetry import crash, metrics
from models.ports.inbound import ReceivedEvent


def store(
    account: ChannelAccount,
    events: Iterable[ReceivedEvent],
    *,
    content_type: str,
    position: JsonObject,
    position_name: str,
) -> int:
    """Store the events, each with its own `raw`, and the position in one transaction; returns the
    number of new events.
    """
    stored = []
    with database.transaction():
        for event in events:
            assert event.raw is not None, "a pulled event brings its own bytes"
            stored.append(
                inbox.store(account, event.key, raw=event.raw, content_type=event.content_type or content_type)
            )
        positions.put(account, position_name, position)
        crash.point("before_commit")
    crash.point("after_commit")
    for one in stored:
        metrics.inbox_events.labels(account.channel, "repeat" if one.repeat else "stored").inc()
    return sum(not one.repeat for one in stored)
