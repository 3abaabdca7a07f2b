"""The actor that reads a pulled account once, for a desk that sleeps and has no reader process
(queues/pulling/loop.py).
"""

from __future__ import annotations

import threading

from models.channels import puller_leases
from models.kernel import settings
from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks.commands import ClaimedTask
from models.tasks.kinds import KINDS
from models.tasks.payloads import PullAccount
from queues import channels
from queues.actor import Actor
from queues.pulling import accounts, loop
from queues.settlement import Done, Settlement

log = logs.get("pull_account")

# The time that an operation under way gets when the task's time is over.
_STORE_S = 30.0


def run(task: ClaimedTask, payload: PullAccount) -> Settlement:
    """Store the waiting events; the next task reads the rest.

    The account shows an error, and the next tick tries again.
    """
    name = (payload.channel, payload.account)
    with database.connection():
        account = next((one for one in accounts.pulled_accounts() if (one.channel, one.name) == name), None)
    holder, limit_s = loop.holder_name(), KINDS[task.kind].time_limit_s
    if account is None or not puller_leases.take(*name, holder=holder, lease_s=limit_s):
        # Switched off, or read by a running process.
        return Done()
    puller = channels.complete(account.channel).puller
    assert puller is not None, "only accounts that are pulled are found"
    stop = threading.Event()
    over = threading.Timer(limit_s - _STORE_S, stop.set)
    over.daemon = True
    over.start()
    try:
        puller.pull(account, settings.current(), stop, 0.0)
    except NestorError as error:
        loop.report(account, error)
    finally:
        over.cancel()
        puller_leases.give_back(*name, holder=holder)
    return Done()


ACTOR = Actor(run)
