"""The part of the report about the malware scanner: whether it answers, and which files it holds back."""

from __future__ import annotations

from models.attachments import scans
from models.kernel import clock, limits, settings
from models.kernel.errors import NestorError
from queues.outside import scanner
from scripts.diag.part import Part
from scripts.explain import words


def look(part: Part) -> None:
    """Report the scanner and the files that wait for it. The caller holds a connection to the database."""
    url = settings.current().scanner_url
    part.facts["url"] = url or None
    if url:
        _ping(part, url)
    else:
        part.lines.append("no malware scanner: files are not scanned")
    counts = scans.counts()
    part.facts["held_back"] = counts
    if counts:
        part.lines.append("held back: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    oldest = scans.oldest_waiting()
    if oldest is not None and (waited_s := (clock.now() - oldest[0]).total_seconds()) > limits.scan_wait_told_s:
        part.problem(f"a file has waited {waited_s / 60:.0f} minutes for a verdict: {oldest[1] or 'no attempt yet'}")
    if failed := counts.get(scans.FAILED):
        part.problem(f"{words.counted(failed, 'file')} could not be scanned: retry scan_file at /v1/tasks?state=dead")


def _ping(part: Part, url: str) -> None:
    try:
        scanner.ping(url)
        part.lines.append(f"{url} answers")
    except NestorError as error:
        part.problem(f"{url}: {words.short(error)}: files wait and are held back")
