"""A desk's small life in a process of its own, for test_crash_points.py: `python -m tests.queues.crashing`.

A message comes in, is worked on, an agent replies, the reply is sent to a provider that writes down each call. CRASH_AT
ends the process at its point like kill -9; without it the same command goes on from whatever was committed, as a
restart does.
"""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from pathlib import Path

from models.channels.accounts import ChannelAccount
from models.events.commands import SYSTEM
from models.kernel import clock, settings
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import crash
from models.ports.outbound import OutgoingMessage, SendOutcome, accepted
from models.tasks.rates import Bucket
from models.ticket_actions import answering
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import page
from models.visibility.sight import DESK
from queues import channels
from tests.desk import Desk

_deadline_s = 30.0


class Provider:
    """Writes each call to a file, as the other side would remember it."""

    def send(self, message: OutgoingMessage, account: ChannelAccount, config: Settings) -> SendOutcome:
        with Path(os.environ["CALLS"]).open("a") as calls:
            calls.write(json.dumps({"body": message.body, "attempt": message.attempt_number}) + "\n")
        return accepted(f"{message.address}:{time.monotonic_ns()}")

    def buckets(self, account: ChannelAccount, address: str) -> list[Bucket]:
        return []


def main() -> None:
    config = settings.current()
    database.configure(config)
    for name in channels.names():
        vars(channels.get(name))["sender"] = Provider()
    desk = Desk("sqlite", config)
    clock.set_shift(timedelta(seconds=float(os.environ.get("CLOCK_SHIFT_S", "0"))))
    with database.transaction():
        desk.receive_telegram("Help!", chat=42, update_id=1, message_id=1)
        crash.point("before_commit")
    crash.point("after_commit")
    _work(desk)
    if not desk.bodies(desk.ticket(), "outbound")[1:]:
        _reply(desk)
    _work(desk)


def _reply(desk: Desk) -> None:
    with database.transaction():
        [ticket] = page(TicketFilter(), sort="number", after=None, limit=1, sight=DESK)
        answering.reply(ticket.id, "Water it.", actor=SYSTEM)


def _work(desk: Desk) -> None:
    """Until nothing is live; a lease that a killed worker left runs out meanwhile."""
    deadline = time.monotonic() + _deadline_s
    while desk.tasks("ready", "leased"):
        desk.run_due()
        assert time.monotonic() < deadline, desk.tasks("ready", "leased")
        desk.advance(seconds=1)


if __name__ == "__main__":
    main()
