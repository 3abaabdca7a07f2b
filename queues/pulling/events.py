"""Keep what a `pull.py` read, together with how far it has read: both or neither, so a crash neither loses nor doubles.

For the channels, which translate only and never write into the domain themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from models.channels import positions
from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel import crash, database, metrics
from models.ports.inbound import ReceivedEvent


def store(
    account: ChannelAccount,
    events: Iterable[ReceivedEvent],
    *,
    content_type: str,
    position: dict[str, Any],
    position_name: str,
) -> int:
    """Store the events, each with its own `raw`, and the position behind them in one transaction; returns how many were new."""
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
