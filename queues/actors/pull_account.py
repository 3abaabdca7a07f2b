"""Read an account that has to be asked, once: for a desk that sleeps, where no process watches it (queues/pulling/loop.py)."""

from __future__ import annotations

import threading

from models.channels import leases
from models.kernel import database, logs, settings
from models.kernel.errors import NestorError
from models.tasks.commands import ClaimedTask
from models.tasks.kinds import KINDS
from models.tasks.payloads import PullAccount
from queues import channels
from queues.actor import Actor
from queues.pulling import accounts, loop
from queues.settlement import Done, Settlement

log = logs.get("pull_account")

_STORE_S = 30.0  # what is under way when the time is over gets this long


def run(task: ClaimedTask, payload: PullAccount) -> Settlement:
    """Store what is there; what is left after the task's time is the next one's. A trouble is shown at the account, not retried here:
    the next tick asks again."""
    name = (payload.channel, payload.account)
    with database.connection():
        account = next((one for one in accounts.pulled_accounts() if (one.channel, one.name) == name), None)
    holder, limit_s = loop.holder_name(), KINDS[task.kind].time_limit_s
    if account is None or not leases.take(*name, holder=holder, lease_s=limit_s):
        return Done()  # switched off, or watched by a process that lives
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
        leases.give_back(*name, holder=holder)
    return Done()


ACTOR = Actor(run)
