"""The actor that has a file scanned for malware. No transaction is open during the scan."""

from __future__ import annotations

from functools import partial

from models.attachments import scans
from models.blobs import commands as blobs
from models.blobs.store import BlobMissing, BlobStoreAway
from models.kernel import limits, settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import ScanFile
from queues.actor import Actor
from queues.outside import scanner
from queues.outside.scanner import ScannerAway
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("scans")


def run(task: ClaimedTask, payload: ScanFile) -> Settlement:
    """Scan once. A scanner or a blob store that is away is tried again; the file stays held back."""
    with database.connection():
        file = scans.waiting(payload.sha256)
    if file is None:
        return Done()
    config = settings.current()
    if not config.scanner_url:
        return Done(partial(scans.record, file.sha256, None))
    if file.size_bytes > config.scanner_bytes_max:
        detail = f"larger than SCANNER_BYTES_MAX ({config.scanner_bytes_max} bytes)"
        return Done(partial(scans.record, file.sha256, scans.TOO_LARGE, detail))
    try:
        with blobs.open_key(file.object_key) as stream:
            verdict = scanner.scan(config.scanner_url, stream)
    except BlobStoreAway as error:
        return Postponed(limits.blob_away_wait_s, error.message)
    except BlobMissing as error:
        return Done(partial(scans.record, file.sha256, scans.FAILED, error.message))
    except ScannerAway as error:
        log.warning("scanner_away", reason=error.message)
        return Failed(error.message, record=partial(scans.record, file.sha256, scans.PENDING, error.message))
    if verdict.state == scans.INFECTED:
        log.warning("file_infected", sha256=file.sha256, signature=verdict.detail)
    else:
        log.info("file_scanned", sha256=file.sha256, state=verdict.state, size_bytes=file.size_bytes)
    return Done(partial(scans.record, file.sha256, verdict.state, verdict.detail))


def on_dead(task: ClaimedTask, payload: ScanFile, reason: str) -> None:
    """Mark the file as failed: it stays held back until a person retries the task."""
    scans.record(payload.sha256, scans.FAILED, reason)


ACTOR = Actor(run, on_dead)
