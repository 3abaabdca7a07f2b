"""The accounts that are pulled (a mailbox by IMAP, a bot without a public address), and tasks for those that no process
reads.

This module is separate from the readers' threads, because the tick function loads it.
"""

from __future__ import annotations

from models.channels import accounts, puller_leases
from models.channels.accounts import ChannelAccount
from models.kernel.storage import database
from models.tasks import commands
from models.tasks.payloads import PullAccount
from queues import channels


def pulled_accounts() -> list[ChannelAccount]:
    """Return the published accounts that their channels pull."""
    found = []
    for account in accounts.every():
        puller = channels.get(account.channel).puller if account.channel in channels.names() else None
        if puller is not None and account.config.get("enabled") is not False and puller.wants(account):
            found.append(account)
    return found


def ask_for_pulls() -> int:
    """Enqueue a `pull_account` task for each account that no process reads and that has no open task; returns their
    number. For `/tick`.
    """
    asked = 0
    with database.connection(), database.transaction():
        for account in pulled_accounts():
            key = f"pull:{account.channel}:{account.name}"
            waiting = database.one(
                "SELECT id FROM tasks WHERE key = :key AND state IN ('ready', 'leased') LIMIT 1", key=key
            )
            if waiting is None and not puller_leases.is_leased(account.channel, account.name):
                commands.enqueue(PullAccount(channel=account.channel, account=account.name), key=key)
                asked += 1
    return asked
