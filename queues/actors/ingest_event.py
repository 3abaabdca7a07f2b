"""The actor that makes a ticket's message of a stored provider event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from models.attachments import commands as attachments
from models.blobs.store import BlobStoreAway
from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.inbound import recording
from models.inbox import commands as inbox
from models.kernel import imports, limits, settings
from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs, metrics
from models.ports.inbound import Ignored, InboundMessage, Unparseable
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import IngestEvent
from queues import channels
from queues.actor import Actor
from queues.parser import parsing
from queues.settlement import Done, Postponed, Settlement

log = logs.get("inbox")


def run(task: ClaimedTask, payload: IngestEvent) -> Settlement:
    """Parse outside of any transaction, then record. An event that cannot be parsed is kept and shown, not retried."""
    inbox_id = payload.inbox_id
    with database.connection():
        event = inbox.load(inbox_id)
        account = accounts.find(event.channel, event.account)
    if event.reason == inbox.ERASED_REASON:
        return Done()
    try:
        raw = event.fetched if event.fetched is not None else _fetched(event, account)
        if isinstance(raw, Ignored):
            ignored, found = raw, _with_people(event, account)
            return _ended(event, "ignored", lambda: inbox.record_ignored(found, ignored))
        parsed = parsing.parse(event.channel, raw, event.envelope, account)
    except Unparseable as error:
        return _failed(_with_people(event, account), error.message)
    except (NestorError, MemoryError):
        # A missing secret, or a worker without memory: no change of the program is needed.
        raise
    except Exception as error:
        # A parser is a pure function: it raises the same exception each time.
        if imports.failed(error):
            # The parser did not run: the task is tried again.
            raise
        # Another attempt would give the same error and delay the sender's next messages.
        log.error("parser_raised", inbox_id=str(inbox_id), channel=event.channel, exc_info=error)
        return _failed(
            _with_people(event, account),
            f"the parser failed: {type(error).__name__} (a bug of the desk; the event can be replayed after the fix)",
        )
    if isinstance(parsed, InboundMessage):
        try:
            parsed = attachments.store_contents(parsed, account)
        except BlobStoreAway as error:
            # The event is kept and waits until the store is back.
            return Postponed(limits.blob_away_wait_s, error.message)
    outcome = "ignored" if isinstance(parsed, Ignored) else "processed"
    if isinstance(parsed, Ignored):
        event = _with_people(event, account)
    return _ended(event, outcome, lambda: recording.record(event, account, parsed))


def _fetched(event: inbox.RawEvent, account: ChannelAccount) -> bytes | Ignored:
    """Return the content that the event refers to, stored before it is parsed so that a replay needs no provider; else
    the event.
    """
    fetcher = channels.complete(event.channel).fetcher
    found = None if fetcher is None else fetcher.fetch(event.raw, event.envelope, account, settings.current())
    if isinstance(found, bytes):
        with database.transaction():
            inbox.keep_fetched(event.id, found)
        return found
    return event.raw if found is None else found


def _with_people(event: inbox.RawEvent, account: ChannelAccount) -> inbox.RawEvent:
    """Add the people whose event it is, for an event that makes no message."""
    raw = event.raw if event.fetched is None else event.fetched
    return replace(event, people=channels.complete(event.channel).parser.people(raw, event.envelope, account))


def _ended(event: inbox.RawEvent, outcome: str, record: Callable[[], None]) -> Done:
    metrics.inbox_events.labels(event.channel, outcome).inc()
    return Done(record)


def _failed(event: inbox.RawEvent, reason: str) -> Done:
    return _ended(event, "failed", lambda: inbox.record_failure(event, reason))


def on_dead(task: ClaimedTask, payload: IngestEvent, reason: str) -> None:
    """Mark the event as failed, with the reason. It can be replayed."""
    event = inbox.load(payload.inbox_id)
    try:
        event = _with_people(event, accounts.find(event.channel, event.account))
    except NestorError as error:
        # Its account or its channel is gone: nothing can read whose event it is.
        log.warning("people_unknown", inbox_id=str(event.id), channel=event.channel, reason=error.message)
    inbox.record_failure(event, reason)


ACTOR = Actor(run, on_dead)
