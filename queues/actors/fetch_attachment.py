"""The actor that copies a file, which a message only names, from its provider into the blob store."""

from __future__ import annotations

from models.attachments import commands as attachments
from models.blobs import commands as blobs
from models.blobs.store import BlobStoreAway
from models.channels import accounts
from models.kernel import limits, settings
from models.kernel.errors import PermanentFailure, TooLarge
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import FetchAttachment
from models.ticket_actions import attachment_fetching
from models.ticket_actions.attachment_fetching import Pending
from queues import channels
from queues.actor import Actor
from queues.settlement import Done, Postponed, Settlement

log = logs.get("attachments")


def run(task: ClaimedTask, payload: FetchAttachment) -> Settlement:
    """Make one attempt. A missing or too large file settles the task; an unavailable provider is tried again."""
    with database.connection():
        file = attachment_fetching.pending(payload.attachment_id)
        if file is None:
            return Done()
        account = accounts.find(file.channel, file.account)
    source = channels.complete(file.channel).files
    if source is None:
        return Done(lambda: attachment_fetching.record_failed(file, f"{file.channel} gives no files"))
    most = min(source.bytes_max, attachments.bytes_max(account), limits.fetched_bytes_max)
    if file.size_bytes > most:
        # Known before a byte is requested.
        return _too_large(file, most)
    try:
        with source.download(file.provider_id, account, settings.current()) as stream:
            kept = blobs.keep(blobs.pieces(stream), bytes_max=most)
    except TooLarge:
        return _too_large(file, most)
    except BlobStoreAway as error:
        return Postponed(limits.blob_away_wait_s, error.message)
    except PermanentFailure as error:
        reason = error.message
        log.warning("attachment_lost", attachment_id=str(file.id), channel=file.channel)
        return Done(lambda: attachment_fetching.record_failed(file, reason))
    log.info("attachment_fetched", attachment_id=str(file.id), channel=file.channel, size_bytes=kept.size_bytes)
    return Done(lambda: attachment_fetching.record_stored(file, kept))


def _too_large(file: Pending, most: int) -> Done:
    return Done(lambda: attachment_fetching.record_too_large(file, limit_bytes=most))


def on_dead(task: ClaimedTask, payload: FetchAttachment, reason: str) -> None:
    """Mark the file as failed, with the reason."""
    file = attachment_fetching.pending(payload.attachment_id)
    if file is not None:
        attachment_fetching.record_failed(file, reason)


ACTOR = Actor(run, on_dead)
