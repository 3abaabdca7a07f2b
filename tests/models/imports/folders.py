"""Exports and imports of tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from models.blobs import commands as blobs
from models.events.commands import SYSTEM
from models.imports import bundles, exporting, form, jobs
from models.imports.formats import mapping as mappings
from models.imports.formats.mapping import Mapping
from models.imports.jobs import ImportJob
from models.kernel.storage import database
from queues.import_html import sanitise


def export(folder: Path) -> list[bytes]:
    """Export the desk into a folder; return the lines."""
    folder.mkdir(parents=True)
    found = list(exporting.records())
    for record in found:
        for message in record.messages if isinstance(record, form.Ticket) else ():
            for file in message.files:
                if file.path is not None and file.sha256 is not None:
                    (folder / file.path).parent.mkdir(exist_ok=True)
                    with database.connection():
                        key = blobs.key_of(file.sha256)
                    with blobs.open_key(key) as stream:
                        (folder / file.path).write_bytes(stream.read())
    lines = [form.encode(record) for record in found]
    (folder / "desk.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    return lines


def written(folder: Path, records: Iterable[dict[str, Any] | str], name: str = "desk.ndjson") -> Path:
    """Write records as the lines of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in records]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def begin(
    folder: Path,
    *,
    format_: str = "nestor",
    mapping: Mapping = mappings.NOTHING,
    dry_run: bool = False,
    creates_users: bool = False,
) -> tuple[ImportJob, jobs.Run]:
    """Start an import, without a step."""
    bundle = bundles.of_path(folder)
    with database.transaction():
        job = jobs.start(format_, mapping, content=bundles.digest_of(bundle, b""), dry_run=dry_run, actor=SYSTEM)
    return job, jobs.Run(job, bundle, sanitise=sanitise, creates_users=creates_users)


def run(folder: Path, **how: Any) -> ImportJob:
    """Import a folder to its end."""
    job, steps = begin(folder, **how)
    while steps.step():
        pass
    return ended(job.id)


def ended(import_id: UUID) -> ImportJob:
    with database.connection():
        return jobs.find(import_id)


def problems(job: ImportJob) -> list[str]:
    """The problems as lines: place, outcome, path, expected, found."""
    with database.connection():
        rows = jobs.problems_of(job.id, after=None, limit=1_000)
    names = ("place", "outcome", "path", "expected", "found")
    return [" | ".join(row[name] for name in names) for row in rows]


def differences(one: object, other: object, path: str = "") -> list[str]:
    """The paths at which two JSON values differ, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(one.keys() | other.keys())
        return [line for name in names for line in differences(one.get(name), other.get(name), f"{path}/{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line
            for index, pair in enumerate(zip(one, other, strict=True))
            for line in differences(*pair, f"{path}/{index}")
        ]
    return [] if one == other else [f"{path}: {one!r} != {other!r}"]
