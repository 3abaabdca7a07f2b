"""The actor that sends the desk's own notice to a chat (the answer to a command): at most once,
outside of any ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from models.channels import accounts, health
from models.conversations import chats
from models.deliveries import buttons
from models.kernel import settings
from models.kernel.storage import database
from models.kernel.telemetry import logs, metrics
from models.ports.outbound import Button, OutgoingMessage, SendOutcome
from models.tasks import rates, task_leases
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendNotice
from queues import channels
from queues.actor import Actor
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("notice")


def run(task: ClaimedTask, payload: SendNotice) -> Settlement:
    """Send once. A notice that may have arrived is not repeated, because its reader can ask again."""
    with database.connection():
        account = accounts.find(payload.channel, payload.account)
        if chats.unreachable_reason(account, payload.address) is not None:
            return Done()
    sender = channels.complete(account.channel).sender
    with database.transaction():
        wait_s = rates.take_or_line_up(sender.buckets(account, payload.address))
        if wait_s == 0 and not task_leases.begin_call(task):
            # A worker died in the call: the notice may have arrived.
            return Done()
        shown = _buttons(payload) if wait_s == 0 and channels.get(account.channel).buttons else ()
    if wait_s > 0:
        return Postponed(wait_s, "rate limit")
    outcome = sender.send(
        OutgoingMessage(
            delivery_id=f"notice:{task.id}",
            attempt_number=task.attempts,
            address=payload.address,
            recipient_name="",
            body=payload.text,
            body_format="text",
            subject=payload.subject or None,
            external_id=None,
            in_reply_to=None,
            references=(),
            automatic=True,
            ticket_number=0,
            buttons=tuple(shown),
        ),
        account,
        settings.current(),
    )
    metrics.sends.labels(account.channel, outcome.kind).inc()
    log.info("notice_sent", channel=account.channel, outcome=outcome.kind, task_id=task.id)
    record = partial(_record, account, payload.address, outcome)
    if outcome.kind == "throttled":
        return Postponed(outcome.retry_after_s or 1.0, "throttled by the provider", record)
    if outcome.kind == "transient":
        return Failed(f"transient: {outcome.detail}", retry_after_s=outcome.retry_after_s, record=record)
    return Done(record, late=partial(task_leases.finish_late, task))


def _buttons(payload: SendNotice) -> Sequence[Button]:
    """Make the buttons of a dialogue's question. They are made for each send, because only their hashes are stored."""
    if not payload.question or payload.question_ticket_id is None:
        return ()
    choices = [(label, value) for label, value in payload.choices]
    return buttons.of_question(payload.question_ticket_id, payload.question, choices)


def _record(account: accounts.ChannelAccount, address: str, outcome: SendOutcome) -> None:
    health.report_outcome(account.channel, account.name, outcome)
    if outcome.suppress:
        chats.mark_unreachable(account, address, outcome.suppress)


ACTOR = Actor(run)
