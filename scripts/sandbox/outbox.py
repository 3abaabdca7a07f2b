"""The outbox: every message received, as one JSON line each, so that a restart forgets nothing.

A test kills the desk, and sometimes the sandbox, and then asks what reached the outside world. Each entry
is handed to the operating system in one write before the sender gets its answer: kill -9 loses none that
was acknowledged. (A power cut may; a fake does not fsync.)
"""

import fcntl
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from scripts.sandbox import limits
from scripts.sandbox.json_object import JsonObject

log = logging.getLogger("nestor.sandbox")

Entry = JsonObject


class OutboxUnusable(Exception):
    """The outbox file cannot be used."""


class Outbox:
    """An append-only list of entries; the newest are in memory, bounded by count and by bytes.

    `sequence` grows by one with each entry and is never given twice, not even after `clear` or a restart:
    readers page by it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        entries_max: int = limits.OUTBOX_ENTRIES_MAX,
        bytes_max: int = limits.OUTBOX_BYTES_MAX,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._path = data_dir / "outbox.jsonl"
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._now = now
        self._entries: deque[Entry] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._sequence = 0
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._lock()
            self._load()
        except OutboxUnusable:
            os.close(self._file)
            raise

    @property
    def sequence(self) -> int:
        """The sequence of the newest entry; 0 before the first."""
        return self._sequence

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def append(self, entry: Entry) -> Entry:
        """Give the entry its sequence and time, write it, and return it."""
        complete = {
            "sequence": self._sequence + 1,
            "received_at": self._now().isoformat(timespec="microseconds").replace("+00:00", "Z"),
            **entry,
        }
        line = json.dumps(complete, separators=(",", ":")).encode("ascii") + b"\n"
        _write(self._file, line)
        self._sequence += 1
        self._remember(complete, len(line))
        return complete

    def page(
        self, *, channel: str | None = None, since: int | None = None, limit: int = 100
    ) -> tuple[list[Entry], int]:
        """Entries after `since` (the newest when None), oldest first, and the `since` of the next page."""
        if since is None:
            matching = (entry for entry in reversed(self._entries) if channel in (None, entry["channel"]))
            items = list(islice(matching, limit))[::-1]
        else:
            # Sequences in memory have no gaps, so the position follows from the number.
            first = self._sequence - len(self._entries)
            rest = islice(self._entries, max(0, since - first), None)
            items = list(islice((entry for entry in rest if channel in (None, entry["channel"])), limit))
        return items, items[-1]["sequence"] if items else since or 0

    def clear(self) -> int:
        """Remove all entries, also on disk; return their number. The sequence continues."""
        count = len(self._entries)
        self._entries.clear()
        self._sizes.clear()
        self._bytes = 0
        self._rewrite()
        return count

    def close(self) -> None:
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutboxUnusable(f"{self._path} is in use by another sandbox; give each its own --data-dir") from None

    def _load(self) -> None:
        loaded_count = 0
        torn = False
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    # The writer died inside its one write, so nobody was told that this entry was taken.
                    log.warning("outbox_torn_line_dropped line=%d", number)
                    torn = True
                    break
                entry = self._parse(number, line)
                self._sequence = entry["sequence"]
                if "channel" in entry:  # a line without one only carries the sequence over a clear
                    self._remember(entry, len(line))
                    loaded_count += 1
        if torn or len(self._entries) < loaded_count:
            self._rewrite()

    def _parse(self, number: int, line: bytes) -> Entry:
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise OutboxUnusable(
                f"{self._path}, line {number}: not JSON ({error}); repair or remove the file"
            ) from error
        sequence = entry.get("sequence") if isinstance(entry, dict) else None
        if not isinstance(sequence, int) or ("channel" in entry and sequence != self._sequence + 1):
            raise OutboxUnusable(
                f"{self._path}, line {number}: expected an object with the sequence {self._sequence + 1},"
                f" got {sequence!r}; mend or remove the file"
            )
        return dict(entry)

    def _remember(self, entry: Entry, size: int) -> None:
        self._entries.append(entry)
        self._sizes.append(size)
        self._bytes += size
        while len(self._entries) > self._entries_max or (self._bytes > self._bytes_max and len(self._entries) > 1):
            self._entries.popleft()
            self._bytes -= self._sizes.popleft()

    def _rewrite(self) -> None:
        """Replace the file by what is in memory, so that it does not grow from restart to restart."""
        replacement = self._path.with_suffix(".new")
        file = os.open(replacement, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        base = {"sequence": self._sequence - len(self._entries)}
        for entry in (base, *self._entries):
            _write(file, json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n")
        os.replace(replacement, self._path)
        os.close(self._file)
        self._file = file


def _write(file: int, line: bytes) -> None:
    written = os.write(file, line)
    while written < len(line):  # a signal or a full pipe; a regular file takes all at once
        written += os.write(file, line[written:])
