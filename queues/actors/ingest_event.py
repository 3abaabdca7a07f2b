"""Read a stored provider event into a ticket's message."""

from __future__ import annotations

from uuid import UUID

from models.channels import accounts
from models.inbox import commands as inbox
from models.inbox.port import Ignored, Unparseable
from models.kernel import database, logs, metrics
from models.kernel.errors import NestorError
from models.tasks.commands import ClaimedTask
from queues import channels
from queues.settlement import Done, Settlement

log = logs.get("inbox")


def run(task: ClaimedTask) -> Settlement:
    """Parse outside of any transaction, then record. What cannot be parsed is kept and shown, not retried."""
    inbox_id = UUID(task.payload["inbox_id"])
    with database.connection():
        event = inbox.load(inbox_id)
        account = accounts.find(event.channel, event.account)
    try:
        parsed = channels.parser(event.channel).parse(event.raw, event.envelope, account)
    except Unparseable as error:
        return _failed(event, error.message)
    except (NestorError, MemoryError):
        raise  # a secret that is missing, a worker without memory: mended without a change of ours
    except Exception as error:  # a parser is a pure function: what it raises, it raises each time
        # Tried again and again, it would hold up the sender's next messages, for nothing.
        log.error("parser_raised", inbox_id=str(inbox_id), channel=event.channel, exc_info=error)
        return _failed(
            event,
            f"the parser failed: {type(error).__name__} (a bug of ours; it can be replayed when mended)",
        )
    if isinstance(parsed, Ignored):
        ignored = parsed
        metrics.inbox_events.labels(event.channel, "ignored").inc()
        return Done(lambda: inbox.record_ignored(event, ignored))
    message = parsed
    metrics.inbox_events.labels(event.channel, "processed").inc()
    return Done(lambda: inbox.record_message(event, account, message))


def _failed(event: inbox.RawEvent, reason: str) -> Done:
    metrics.inbox_events.labels(event.channel, "failed").inc()
    return Done(lambda: inbox.record_failure(event.id, reason))


def on_dead(task: ClaimedTask, reason: str) -> None:
    """Given up: the event shows as failed, with the reason, and can be replayed."""
    inbox.record_failure(UUID(task.payload["inbox_id"]), reason)
