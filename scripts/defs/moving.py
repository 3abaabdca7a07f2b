"""`migrate` and `replay`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from datetime import timedelta

from models import migrations
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.ids import parse_id
from models.kernel.storage import database
from models.ticket_workflow import migration, migration_preview
from models.ticket_workflow import replay as replaying
from models.ticket_workflow.migration_preview import Preview
from scripts import _cli
from scripts.defs import finding


def migrate(options: argparse.Namespace) -> int:
    """Check every open ticket first. No ticket moves when one of them cannot."""
    _cli.connect("defs", only_look=True)
    migrations.check()
    if options.resume or options.reverse:
        started = _continued(options)
    else:
        if options.name is None or options.to is None:
            raise Invalid([FieldProblem("", "expected NAME --to VERSION, or --resume ID, or --reverse ID")])
        state_map = dict(_pair(text) for text in options.map)
        to_name = options.to_name or options.name
        if options.dry_run:
            with database.connection():
                found = migration_preview.preview(options.name, to_name, options.to, state_map)
            print("\n".join(in_words(found)))
            return 0
        with database.transaction():
            started = migration.start(
                options.name, to_version=options.to, to_workflow=to_name, state_map=state_map, by=options.by
            )
    print(
        f"migration {started.id} (go on after a cut: migrate --resume {started.id};"
        f" back: migrate --reverse {started.id})"
    )
    done = migration.run(started.id, progress=lambda moved: _cli.progress(f"{moved} tickets moved"))
    print(f"{done.moved} tickets moved")
    return 0


def in_words(found: Preview) -> list[str]:
    """Return the lines of a dry run: the tickets first, then what happens to their timers and promises."""
    tickets = ", ".join(f"{state} {count}" for state, count in found.tickets.items()) or "none"
    lines = [f"{sum(found.tickets.values())} tickets would move: {tickets}"]
    for title, counts in (
        ("timers that go off at once", found.timers_due),
        ("timers that start", found.timers_started),
        ("timers that move to another instant", found.timers_moved),
        ("timers that are dropped", found.timers_dropped),
        ("timers that have gone off and stay silent", found.timers_silent),
        ("promises", found.promises),
    ):
        if counts:
            lines.append(f"  {title}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}")
    return lines


def _continued(options: argparse.Namespace) -> migration.Migration:
    """Return the migration that --resume names, or the new one that undoes the migration of --reverse."""
    migration_id = parse_id(options.resume or options.reverse)
    if migration_id is None:
        raise NotFound(f"there is no migration {options.resume or options.reverse!r}")
    with database.transaction():
        return migration.reverse(migration_id, by=options.by) if options.reverse else migration.get(migration_id)


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals:
        raise Invalid([FieldProblem("--map", f"expected OLD=NEW, found {text!r}")])
    return old, new


def replay(options: argparse.Namespace) -> int:
    draft = finding.workflow_of(str(options.file) if options.file else options.name)
    _cli.connect("defs", only_look=True)
    migrations.check()
    until = clock.now()
    with database.connection():
        report = replaying.replay(
            options.name,
            draft,
            since=until - timedelta(days=options.days),
            until=until,
            progress=lambda events: _cli.progress(f"{events} events") if not options.json else None,
        )
    if options.json:
        print(json.dumps(dataclasses.asdict(report), ensure_ascii=False, indent=2, default=str))
        return 0
    print(
        f"{report.tickets} tickets with {report.events} events; {report.faithful} baselines end where the real"
        " ticket stands"
    )
    print(f"{report.ended_differently} tickets would have ended differently, {report.failed} could not be replayed")
    for difference in report.differences:
        number, recorded = difference.pop("number"), difference.pop("recorded_state")
        print(f"  #{number} (is {recorded}): {', '.join(f'{k} {v}' for k, v in difference.items())}")
    for title, counts in (
        ("messages", report.messages),
        ("broken promises", report.breaches),
        ("money (minor units)", report.money),
        ("refusals", report.refusals),
    ):
        for name, (before, after) in counts.items():
            if before != after:
                print(f"  {title}: {name}: {before} -> {after} ({after - before:+d})")
    return 0
