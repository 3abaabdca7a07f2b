"""`plan`, `apply`, `rollback`, `history`."""

from __future__ import annotations

import argparse
import dataclasses
import json

from models import migrations
from models.definitions import store
from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.publishing import plan as planning
from models.publishing import publishing, retirement
from scripts import _cli, defs


def plan(options: argparse.Namespace) -> int:
    """1 when publishing would be refused."""
    found = defs.read_all(demo=options.demo)
    _cli.connect("defs", only_look=True)
    migrations.check()
    with database.connection():
        entries = planning.plan(found, absent=retirement.absent(found, skipped=_skipped(options)))
    if options.json:
        print(json.dumps([dataclasses.asdict(entry) for entry in entries], ensure_ascii=False, indent=2, default=str))
    else:
        for entry in entries:
            _tell(entry)
    return 1 if any(entry.refusals for entry in entries) else 0


def _skipped(options: argparse.Namespace) -> set[tuple[str, str]]:
    return set() if options.demo else defs.skipped()


def _tell(entry: planning.Entry) -> None:
    if entry.action in ("retired", "kept"):
        told = "would be retired" if entry.action == "retired" else "stays in force"
        print(f"{entry.kind} {entry.name}: {told} (version {entry.version}): {'; '.join(entry.differences)}")
        for refusal in entry.refusals:
            print(f"  REFUSED: {refusal}")
        return
    if entry.action == "unchanged":
        print(f"{entry.kind} {entry.name}: unchanged (version {entry.version})")
        return
    print(
        f"{entry.kind} {entry.name}: {'new' if entry.action == 'new' else 'changed'}, would be version {entry.version}"
    )
    for line in entry.differences:
        print(f"    {line}")
    for row in entry.tickets:
        print(
            f"  {row['count']} live tickets on version {row['version']} in {row['state']}: they stay on it until"
            " they are migrated"
        )
    for title, counts in (
        ("tickets in states that it lacks (map them: migrate --map)", entry.states_gone),
        ("running timers that it lacks", entry.timers_gone),
        ("running timers that would move", entry.timers_moved),
        ("promises that would move", entry.clocks_moved),
        ("approvals that would be cancelled", entry.approvals_gone),
    ):
        if counts:
            print(f"  {title}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    for refusal in entry.refusals:
        print(f"  REFUSED: {refusal}")


def apply(options: argparse.Namespace) -> int:
    found = defs.read_all(demo=options.demo)
    _cli.connect("defs")
    migrations.check()
    with database.transaction():
        absent = retirement.absent(found, skipped=_skipped(options))
        gone = [(one.kind, one.name) for one in absent if not one.kept and not options.keep_absent]
        reason = options.reason or "published"
        new = publishing.apply(found, by=options.by, reason=reason, gone=gone, progress=_cli.progress)
    for one in absent:
        if one.kept:
            _cli.progress(f"kept {one.kind} {one.name}: its file is gone; {one.kept}")
    print(f"{len(new)} new versions, {len(found) - len(new)} unchanged, {len(gone)} retired")
    return 0


def rollback(options: argparse.Namespace) -> int:
    _cli.connect("defs", only_look=True)
    migrations.check()
    with database.transaction():
        version = publishing.rollback(
            options.kind, options.name, to=options.to, by=options.by, reason=options.reason or "rolled back"
        )
    print(f"{options.kind} {options.name}: version {version} is in force; tickets stay on their versions")
    return 0


def history(options: argparse.Namespace) -> int:
    _cli.connect("defs", only_look=True)
    migrations.check()
    with database.connection():
        rows = store.history(options.kind, options.name)
        retired = store.retired_at(options.kind, options.name)
    if not rows:
        raise NotFound(f"there is no {options.kind} {options.name!r}")
    if retired is not None:
        at = clock.rfc3339(retired["activated_at"])
        print(f"retired from {at} by {retired['activated_by']}: {retired['reason']}")
    for row in rows:
        mark, at = "*" if row["in_force"] else " ", clock.rfc3339(row["published_at"])
        print(f"{mark} version {row['version']} published {at} by {row['published_by']} ({row['sha256'][:12]})")
        for one in row["activations"]:
            print(f"      in force from {clock.rfc3339(one['activated_at'])} by {one['activated_by']}: {one['reason']}")
    return 0
