"""Export users, organisations, requesters and tickets as NDJSON, and the files of the messages.

The folder then has desk.ndjson and files/. `python -m scripts.importing FOLDER` takes it into another desk.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from models import migrations
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.blobs import commands as blobs
from models.blobs.store import BlobMissing
from models.imports import exporting, form, limits, writing
from models.kernel.errors import ConfigurationError
from models.kernel.storage import database
from scripts import _cli

_PROGRESS_S = 2.0  # between two lines of progress


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.exporting", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="new or empty folder")
    args = parser.parse_args()
    _cli.connect("exporting", only_look=True)
    migrations.check()
    folder: Path = args.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"expected a new or empty folder, found {folder} with content")
    # Only the operator may read what the desk knows.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts, missing = _write(folder)
    with database.transaction():
        audit.record(AuditAction.desk_exported, "desk", "desk", after=dict(counts))
    for kind, number in sorted(counts.items()):
        print(f"{number} {kind}")
    if missing:
        print(f"{missing} files or lines could not be exported; the lines above name them", file=sys.stderr)
    return 1 if missing else 0


def _write(folder: Path) -> tuple[Counter[str], int]:
    """Write all records and their files; return the counts by kind, and the number of failures."""
    counts: Counter[str] = Counter()
    missing, shown = 0, time.monotonic()
    partial = folder / "desk.ndjson.part"
    with partial.open("wb") as lines:
        for record in exporting.records():
            line = form.encode(record)
            if len(line) >= limits.line_bytes_max:
                print(
                    f"{writing.kind_of(record)} {record.id}: a line of {len(line)} bytes is too long", file=sys.stderr
                )
                missing += 1
                continue
            lines.write(line + b"\n")
            counts[writing.kind_of(record)] += 1
            if isinstance(record, form.Ticket):
                missing += _write_files(folder, record)
            if time.monotonic() - shown >= _PROGRESS_S:
                shown = time.monotonic()
                _cli.progress(f"{counts['ticket']} tickets, {counts['requester']} requesters")
    partial.rename(folder / "desk.ndjson")
    return counts, missing


def _write_files(folder: Path, record: form.Ticket) -> int:
    """Write the files of a ticket that are not there yet; return the number of those that the store does not have."""
    missing = 0
    for file in (one for message in record.messages for one in message.files):
        if file.path is None or file.sha256 is None or (target := folder / file.path).exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with database.connection():
                key = blobs.key_of(file.sha256)
            with blobs.open_key(key) as stream, target.with_suffix(".part").open("wb") as copy:
                shutil.copyfileobj(stream, copy)
            target.with_suffix(".part").rename(target)
        except BlobMissing:
            print(f"ticket {record.id}: the store has no bytes of {file.sha256}", file=sys.stderr)
            missing += 1
    return missing


if __name__ == "__main__":
    _cli.end(main)
