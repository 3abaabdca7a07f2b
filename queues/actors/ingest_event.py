"""Read a stored provider event into a ticket's message."""

from __future__ import annotations

from uuid import UUID

from models.channels import accounts
from models.inbox import commands as inbox
from models.inbox.port import Ignored, Unparseable
from models.kernel import database, metrics
from models.tasks.commands import ClaimedTask
from queues import channels
from queues.settlement import Done, Settlement


def run(task: ClaimedTask) -> Settlement:
    """Parse outside of any transaction, then record. What cannot be parsed is kept and shown, not retried."""
    inbox_id = UUID(task.payload["inbox_id"])
    with database.connection():
        event = inbox.load(inbox_id)
        account = accounts.find(event.channel, event.account)
    try:
        parsed = channels.parser(event.channel).parse(event.raw, event.envelope, account)
    except Unparseable as error:
        reason = error.message
        metrics.inbox_events.labels(event.channel, "failed").inc()
        return Done(lambda: inbox.record_failure(inbox_id, reason))
    if isinstance(parsed, Ignored):
        ignored = parsed
        metrics.inbox_events.labels(event.channel, "ignored").inc()
        return Done(lambda: inbox.record_ignored(event, ignored))
    message = parsed
    metrics.inbox_events.labels(event.channel, "processed").inc()
    return Done(lambda: inbox.record_message(event, account, message))


def on_dead(task: ClaimedTask, reason: str) -> None:
    """Given up: the event shows as failed, with the reason, and can be replayed."""
    inbox.record_failure(UUID(task.payload["inbox_id"]), reason)
