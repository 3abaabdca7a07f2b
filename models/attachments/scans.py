"""The malware scanner's verdicts on files, and what follows from them.

A verdict belongs to the bytes (`blobs`), so a file that many messages have is scanned once. A file without a verdict
was stored while no scanner was configured. Until a verdict says `clean`, nobody gets a link to the file and no message
carries it. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from models.kernel import clock, limits, settings
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.kernel.text import one_line
from models.tasks import commands as tasks
from models.tasks.payloads import ScanFile

PENDING, CLEAN, INFECTED, TOO_LARGE, FAILED = "pending", "clean", "infected", "too_large", "failed"
_WORDS: Final[Mapping[str, str]] = {
    PENDING: "the malware scanner has not checked it yet",
    INFECTED: "the malware scanner found {detail}",
    TOO_LARGE: "it is larger than the malware scanner takes",
    FAILED: "the malware scanner could not check it: {detail}",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A file that must not leave the desk. `waits`: a verdict is still to come."""

    position: int
    filename: str
    reason: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Bytes without a verdict."""

    sha256: str
    object_key: str
    size_bytes: int


def is_released(state: str | None) -> bool:
    """Return True if people may get the file."""
    return state is None or state == CLEAN


def reason(state: str, detail: str | None) -> str:
    """Return why a file is held back, in words."""
    return _WORDS.get(state, state).format(detail=detail or "something")


def request(sha256: str) -> None:
    """Have the bytes scanned, unless a verdict exists or no scanner is configured."""
    if not settings.current().scanner_url:
        return
    asked = database.execute(
        "UPDATE blobs SET scan_state = 'pending' WHERE sha256 = :sha256 AND scan_state IS NULL", sha256=sha256
    )
    if asked.rowcount:
        tasks.enqueue(ScanFile(sha256=sha256))


def waiting(sha256: str) -> Waiting | None:
    """Read bytes that wait for a verdict; None when they have one, or are gone. A person may retry failed ones."""
    row = database.one(
        "SELECT object_key, size_bytes FROM blobs WHERE sha256 = :sha256 AND scan_state IN ('pending', 'failed')",
        sha256=sha256,
    )
    return None if row is None else Waiting(sha256, row["object_key"], int(row["size_bytes"]))


def record(sha256: str, state: str | None, detail: str | None = None) -> None:
    """Record a verdict. A verdict of another run stays. None: no scanner is configured any more."""
    database.execute(
        "UPDATE blobs SET scan_state = :state, scan_detail = :detail, scanned_at = :now WHERE sha256 = :sha256"
        " AND scan_state IN ('pending', 'failed')",
        state=state,
        detail=None if detail is None else one_line(detail, limits.error_chars_max),
        now=clock.now(),
        sha256=sha256,
    )


def held(message_id: UUID) -> list[Held]:
    """Read the files of a message that must not be sent."""
    rows = database.run(
        "SELECT a.position, a.filename, b.scan_state, b.scan_detail FROM attachments AS a JOIN blobs AS b"
        " ON b.sha256 = a.sha256 WHERE a.message_id = :id AND b.scan_state IS NOT NULL AND b.scan_state <> 'clean'"
        " AND a.replaced_at IS NULL ORDER BY a.position",
        id=message_id,
    )
    return [
        Held(
            int(row["position"]),
            row["filename"],
            reason(row["scan_state"], row["scan_detail"]),
            waits=row["scan_state"] == PENDING,
        )
        for row in rows
    ]


def refuse_held(message_id: UUID) -> None:
    """Refuse a message with files that the scanner did not release. One that waits is accepted: its delivery waits.

    Raises Invalid.
    """
    found = [one for one in held(message_id) if not one.waits]
    if found:
        raise Invalid([FieldProblem(f"/attachments/{one.position}", f"{one.filename}: {one.reason}") for one in found])


def counts() -> dict[str, int]:
    """Count the files that are held back, by state."""
    rows = database.run(
        "SELECT scan_state, count(*) AS files FROM blobs WHERE scan_state IN ('pending', 'infected', 'too_large',"
        " 'failed') GROUP BY scan_state ORDER BY scan_state"
    )
    return {str(row["scan_state"]): int(row["files"]) for row in rows}


def oldest_waiting() -> tuple[datetime, str | None] | None:
    """Read since when the oldest file waits, and what the scanner's last failure with it was."""
    row = database.one(
        "SELECT created_at, scan_detail FROM blobs WHERE scan_state = 'pending' ORDER BY created_at LIMIT 1"
    )
    if row is None:
        return None
    since = database.instant(row["created_at"])
    assert since is not None, "every row has its time"
    return since, row["scan_detail"]
