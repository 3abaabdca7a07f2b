"""Sends one mail of the desk that belongs to no delivery: a code, or a mail to a user."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from models.channels import health
from models.channels.accounts import ChannelAccount
from models.kernel import settings
from models.kernel.storage import database
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks import rates, task_leases
from models.tasks.commands import ClaimedTask
from queues import channels
from queues.settlement import Done, Failed, Postponed, Settlement

Record = Callable[[SendOutcome], None]


def send(task: ClaimedTask, account: ChannelAccount, message: OutgoingMessage, record: Record) -> Settlement:
    """Send within the account's rate limits. `record` stores the outcome in the transaction that settles the task.

    An unknown outcome is repeated: a mail that arrives twice does no harm here, and one that is lost does.
    """
    sender = channels.complete(account.channel).sender
    with database.transaction():
        wait_s = rates.take_or_line_up(sender.buckets(account, message.address))
    if wait_s > 0:
        return Postponed(wait_s, "rate limit")
    if task.attempts > 1:
        task_leases.confirm(task)
    outcome = sender.send(message, account, settings.current())
    recorded = partial(_record, account, outcome, record)
    if outcome.kind == "throttled":
        return Postponed(outcome.retry_after_s or 1.0, "throttled by the provider", recorded)
    if outcome.kind in ("transient", "unknown"):
        return Failed(f"{outcome.kind}: {outcome.detail}", retry_after_s=outcome.retry_after_s, record=recorded)
    if outcome.kind == "accepted":
        return Done(recorded, late=partial(task_leases.finish_late, task))
    return Failed(outcome.detail, permanent=True, record=recorded)


def _record(account: ChannelAccount, outcome: SendOutcome, record: Record) -> None:
    health.report_outcome(account.channel, account.name, outcome)
    record(outcome)
