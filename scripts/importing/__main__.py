"""Import a folder, a zip archive or a file of records into the desk."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID

from models import migrations
from models.events.commands import SYSTEM
from models.imports import bundles, jobs
from models.imports.bundles import Bundle
from models.imports.formats import mapping as mappings
from models.imports.formats import mapping_files
from models.imports.formats.mapping import Mapping
from models.imports.formats.reading import FORMATS
from models.imports.jobs import ImportJob
from models.kernel.errors import NestorError
from models.kernel.storage import database
from queues.import_html import sanitise
from scripts import _cli

_PROGRESS_S = 2.0  # between two lines of progress


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.importing", description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", help="folder, zip archive or file")
    parser.add_argument("--cancel", type=UUID, metavar="ID", help="cancel an import that was interrupted for good")
    parser.add_argument("--format", choices=sorted(FORMATS), default="nestor", help="form of the records")
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="mapping of words and fields (YAML)")
    parser.add_argument("--source", metavar="NAME", help="name of the system that the ids belong to")
    parser.add_argument("--dry-run", action="store_true", help="check every record and write nothing")
    parser.add_argument("--create-users", action="store_true", help="create the users that the desk does not have")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was not taken to FILE (NDJSON)")
    return parser


def main() -> int:
    parser = _parser()
    args = parser.parse_args()
    if (args.path is None) == (args.cancel is None):
        parser.error("expected either a path or --cancel ID")
    _cli.connect("importing", only_look=True)
    migrations.check()
    if args.cancel is not None:
        with database.transaction():
            print(f"import {jobs.cancel(args.cancel).id} cancelled")
        return 0
    text = args.mapping.read_bytes() if args.mapping is not None else b""
    mapping = mapping_files.read(text, str(args.mapping)) if text else mappings.NOTHING
    bundle = bundles.of_path(args.path)
    with closing(bundle):
        job, was_begun = _job(args, mapping, bundle, text)
        if was_begun:
            print(f"going on with import {job.id} after {job.position} records")
        done = _run(job, bundle, creates_users=args.create_users)
    _print_report(done, args.report)
    return 1 if done.refused else 0


def _job(args: argparse.Namespace, mapping: Mapping, bundle: Bundle, text: bytes) -> tuple[ImportJob, bool]:
    """Return the unfinished import of the same files, or a new one."""
    content = hashlib.sha256(f"{bundles.digest_of(bundle, text)}:{args.source}".encode()).hexdigest()
    with database.transaction():
        found = jobs.unfinished(content, format_=args.format, dry_run=args.dry_run)
        if found is not None:
            return found, True
        made = jobs.start(args.format, mapping, content=content, dry_run=args.dry_run, actor=SYSTEM, source=args.source)
        return made, False


def _run(job: ImportJob, bundle: Bundle, *, creates_users: bool) -> ImportJob:
    """Write all records, with lines of progress, and print the rate."""
    run = jobs.Run(job, bundle, sanitise=sanitise, creates_users=creates_users)
    started = shown = time.monotonic()
    try:
        while run.step():
            if time.monotonic() - shown >= _PROGRESS_S:
                shown = time.monotonic()
                with database.connection():
                    _show_progress(jobs.find(job.id), job, shown - started)
    except NestorError as error:
        raise type(error)(f"{error.message} Run the command again to go on.") from error
    with database.connection():
        done = jobs.find(job.id)
    _show_progress(done, job, time.monotonic() - started)
    return done


def _show_progress(now: ImportJob, before: ImportJob, took_s: float) -> None:
    tickets = sum(now.by_kind.get("ticket", {}).values()) - sum(before.by_kind.get("ticket", {}).values())
    rate = tickets * 60 / max(took_s, 0.001)
    _cli.progress(
        f"{now.position} records: {now.taken} taken, {now.known} known, {now.refused} refused;"
        f" {rate:,.0f} tickets a minute"
    )


def _print_report(job: ImportJob, report: Path | None) -> None:
    """Print the counts and the first problems; write all problems to the report."""
    print(f"import {job.id} {'(dry run) ' if job.dry_run else ''}{job.state}")
    for kind, counts in sorted(job.by_kind.items()):
        print(f"  {kind}: " + ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())))
    after, shown = None, 0
    with (report or Path("/dev/null")).open("w", encoding="utf-8") as file:
        while True:
            with database.connection():
                page = jobs.problems_of(job.id, after=after, limit=500)
            for row in page:
                line = {name: row[name] for name in ("outcome", "place", "record", "path", "found", "expected")}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                if shown < _PROBLEMS_SHOWN:
                    shown += 1
                    print(_line(row), file=sys.stderr)
            if not page:
                break
            after = page[-1]["position"]
    if job.problems > shown:
        print(f"  ... and {job.problems - shown} more problems; --report FILE writes them all", file=sys.stderr)


_PROBLEMS_SHOWN = 20


def _line(row: database.Row) -> str:
    at = f" {row['path']}" if row["path"] else ""
    return f"{row['place']}: {row['outcome']}: {row['record']}{at}: expected {row['expected']}, found {row['found']}"


if __name__ == "__main__":
    _cli.end(main)
