"""The actor that asks the providers about the state of accounts, so that undelivered updates are seen before they are
lost.
"""

from __future__ import annotations

from models.channels import accounts, health
from models.channels.accounts import ChannelAccount
from models.kernel import settings
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import WatchAccounts
from queues import channels
from queues.actor import Actor
from queues.channel_port import Watch
from queues.settlement import Done, Settlement

log = logs.get("channels")


def run(task: ClaimedTask, payload: WatchAccounts) -> Settlement:
    """Ask about each account once. The next task asks a provider again that is away."""
    with database.connection():
        found = [account for account in accounts.every() if account.config.get("enabled") is not False]
    for account in found:
        watch = channels.complete(account.channel).watch
        if watch is not None:
            _inspect(watch, account)
    return Done()


def _inspect(watch: Watch, account: ChannelAccount) -> None:
    try:
        seen = watch.inspect(account, settings.current())
    except ConfigurationError as error:
        health.report_error(account.channel, account.name, error.message)
        return
    except NestorError as error:
        log.info("account_not_seen", channel=account.channel, account=account.name, code=error.code)
        return
    if seen is None:
        return
    health.report_well(account.channel, account.name, seen.told)
    if seen.error is not None:
        health.report_error(account.channel, account.name, seen.error)


ACTOR = Actor(run)
