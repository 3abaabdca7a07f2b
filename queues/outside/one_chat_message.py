"""Sends one message of the desk itself to a chat, at most once: it belongs to no delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from models.channels import health
from models.channels.accounts import ChannelAccount
from models.conversations import chats
from models.kernel import settings
from models.kernel.storage import database
from models.kernel.telemetry import logs, metrics
from models.ports.outbound import Button, OutgoingMessage, SendOutcome
from models.tasks import rates, task_leases
from models.tasks.commands import ClaimedTask
from queues import channels
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("notice")

Record = Callable[[SendOutcome], None]


def _no_buttons() -> Sequence[Button]:
    return ()


def send(
    task: ClaimedTask,
    account: ChannelAccount,
    *,
    name: str,
    address: str,
    text: str,
    subject: str | None,
    record: Record,
    record_lost: Callable[[], None],
    make_buttons: Callable[[], Sequence[Button]] = _no_buttons,
) -> Settlement:
    """Send within the account's rate limits. A message that may have arrived is not repeated.

    `name`: the message's name towards the provider. `record` stores the outcome in the transaction that settles the
    task. `record_lost` stores that an earlier run began the call and died, so that the outcome is unknown.
    `make_buttons` makes the buttons in the transaction that begins the call.
    """
    sender = channels.complete(account.channel).sender
    with database.transaction():
        wait_s = rates.take_or_line_up(sender.buckets(account, address))
        if wait_s == 0 and not task_leases.begin_call(task):
            return Done(record_lost)
        shown = make_buttons() if wait_s == 0 and channels.get(account.channel).buttons else ()
    if wait_s > 0:
        return Postponed(wait_s, "rate limit")
    message = replace(_message(task, name, address, text, subject), buttons=tuple(shown))
    outcome = sender.send(message, account, settings.current())
    metrics.sends.labels(account.channel, outcome.kind).inc()
    log.info("notice_sent", channel=account.channel, outcome=outcome.kind, task_id=task.id)
    recorded = partial(_record, account, address, outcome, record)
    if outcome.kind == "throttled":
        return Postponed(outcome.retry_after_s or 1.0, "throttled by the provider", recorded)
    if outcome.kind == "transient":
        return Failed(f"transient: {outcome.detail}", retry_after_s=outcome.retry_after_s, record=recorded)
    return Done(recorded, late=partial(_record_late, task, recorded))


def _message(task: ClaimedTask, name: str, address: str, text: str, subject: str | None) -> OutgoingMessage:
    return OutgoingMessage(
        delivery_id=name,
        attempt_number=task.attempts,
        address=address,
        recipient_name="",
        body=text,
        body_format="text",
        subject=subject,
        external_id=None,
        in_reply_to=None,
        references=(),
        automatic=True,
        ticket_number=0,
    )


def _record_late(task: ClaimedTask, recorded: Callable[[], None]) -> None:
    recorded()
    task_leases.finish_late(task)


def _record(account: ChannelAccount, address: str, outcome: SendOutcome, record: Record) -> None:
    health.report_outcome(account.channel, account.name, outcome)
    if outcome.suppress:
        chats.mark_unreachable(account, address, outcome.suppress)
    record(outcome)
