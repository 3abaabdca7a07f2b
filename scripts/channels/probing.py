"""The part of `test` that checks proofs of senders: does the receiving server remove those that a sender writes?"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from models.channels.accounts import ChannelAccount
from models.inbox import queries as inbox
from models.kernel import clock
from models.kernel.settings import Settings
from models.kernel.storage import database
from queues.channel_port import Finding, Probe

_LATEST = 20
# Events that come in while the probe is on its way.
_ARRIVING_MAX = 200
_POLL_S = 1.0
# The clocks of this machine and of the database may differ a little.
_BACK_S = 5.0


def received(probe: Probe, account: ChannelAccount) -> list[Finding]:
    """Judge the latest mails that the account received."""
    with database.connection():
        events = inbox.latest_events(account, since=None, limit=_LATEST)
    return probe.received(events, account)


def sent(probe: Probe, account: ChannelAccount, settings: Settings, *, wait_s: float) -> list[Finding]:
    """Send a probe to the account and judge it when it has come in. The running desk receives it."""
    with database.connection():
        since = clock.now() - timedelta(seconds=_BACK_S)
    mark, finding = probe.send(account, settings)
    if not mark:
        return [finding]
    judged = _arrived(probe, account, mark, since, wait_s)
    if judged is None:
        judged = Finding(False, f"the probe did not come in within {wait_s:.0f} s; is the desk running?")
    return [finding, judged]


def _arrived(probe: Probe, account: ChannelAccount, mark: str, since: datetime, wait_s: float) -> Finding | None:
    until = time.monotonic() + wait_s
    while True:
        with database.connection():
            events = inbox.latest_events(account, since=since, limit=_ARRIVING_MAX)
        found = next((one for event in events if (one := probe.arrived(event, mark, account)) is not None), None)
        if found is not None or time.monotonic() >= until:
            return found
        time.sleep(_POLL_S)
