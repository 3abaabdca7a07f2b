"""(m) Imports: tickets with four messages each, in the own form, by one process."""

from __future__ import annotations

import json
import os
import secrets
import time
from pathlib import Path

from models.events.commands import SYSTEM
from models.imports import bundles, jobs
from models.imports.formats import mapping
from models.kernel import settings
from models.kernel.storage import database
from queues.import_html import sanitise
from scripts.bench import limits
from scripts.bench.report import Report, Target
from scripts.bench.stack import Stack

_tickets_a_minute_min = 1_000
_share = 10  # of the tickets of a bulk change: each has a conversation


def measure(stack: Stack, plan: limits.Plan, report: Report, folder: Path) -> None:
    """Print the row of (m)."""
    database.configure(settings.Settings(database_url=stack.postgres.create_database(template="bench_template")))
    # Addresses are compared with those of erased people by a keyed hash.
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    settings.current.cache_clear()
    count = max(1, plan.bulk_tickets // _share)
    (folder / "desk.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in _records(count)))
    bundle = bundles.of_path(folder / "desk.ndjson")
    with database.transaction():
        job = jobs.start("nestor", mapping.NOTHING, content="bench", dry_run=False, actor=SYSTEM)
    run = jobs.Run(job, bundle, sanitise=sanitise)
    started = time.perf_counter()
    while run.step():
        pass
    took_s = time.perf_counter() - started
    with database.connection():
        done = jobs.find(job.id)
    rate = done.by_kind["ticket"]["taken"] * 60 / took_s
    target = Target(rate >= _tickets_a_minute_min, f"at least {_tickets_a_minute_min:,}")
    report.row("m", f"import of {count:,} tickets with 4 messages each", f"{rate:,.0f} tickets a minute", target)


def _records(count: int) -> list[dict[str, object]]:
    people: list[dict[str, object]] = [
        {
            "kind": "requester",
            "id": f"u{number}",
            "name": f"Person {number}",
            "addresses": [{"channel": "email", "address": f"person{number}@import.example"}],
        }
        for number in range(max(1, count // 2))
    ]
    return [*people, *(_ticket(number, f"u{number % len(people)}") for number in range(count))]


def _ticket(number: int, requester: str) -> dict[str, object]:
    messages = [
        {
            "id": str(index),
            "author": {"kind": "requester", "id": requester} if index % 2 == 0 else {"kind": "agent", "name": "Agent"},
            "created_at": f"2021-01-01T10:0{index}:00Z",
            "body": "Some words about a printer that is on fire. " * 20,
        }
        for index in range(4)
    ]
    return {
        "kind": "ticket",
        "id": f"t{number}",
        "title": f"Ticket {number}",
        "state": "solved",
        "created_at": "2021-01-01T10:00:00Z",
        "requester": requester,
        "messages": messages,
    }
