"""(k) Bulk changes: transitions of many tickets by one worker, each by its life cycle."""

from __future__ import annotations

import time
from uuid import UUID

from models.bulk import jobs, running
from models.bulk.selection import Selection
from models.events.commands import Actor
from models.identity import principals
from models.identity import queries as identity
from models.identity.rules import Principal
from models.kernel import settings
from models.kernel.storage import database
from models.tickets.tables import Ticket
from scripts.bench import limits
from scripts.bench.report import Report, Target
from scripts.bench.stack import Stack

_RESOLVE = {"act": "transition", "arguments": {"transition": "resolve"}}
_took_s_max = 60.0  # for 10,000 transitions


def measure(stack: Stack, plan: limits.Plan, report: Report) -> None:
    """Print the rows of (k)."""
    database.configure(settings.Settings(database_url=stack.postgres.create_database(template="bench_template")))
    ids = _tickets(plan.bulk_tickets)
    with database.transaction():
        job = jobs.start(Selection(ids=ids), [_RESOLVE], note=None, caller=_agent())
    started = time.perf_counter()
    while running.step(job.id):
        pass
    took_s = time.perf_counter() - started
    with database.connection():
        done = jobs.find(job.id)
    figure = f"{took_s:.1f} s, {done.changed / took_s:,.0f} tickets/s; {done.refused:,} refused"
    target = Target(took_s * 10_000 / plan.bulk_tickets < _took_s_max, "10,000 under 60 s")
    report.row("k", f"bulk change of {done.changed:,} transitions", figure, target)


def _tickets(count: int) -> list[UUID]:
    with database.transaction():
        database.execute(
            "INSERT INTO tickets (id, number, title, type, priority, state, category, workflow, workflow_version,"
            " channel, fields, created_at, updated_at, state_since) SELECT gen_random_uuid(), 2000000 + n, 'Bench',"
            " 'question', 'normal', 'open', 'todo', 'support', 1, 'api', '{}', now(), now(), now()"
            " FROM generate_series(1, :count) AS n",
            count=count,
        )
    database.execute("ANALYZE tickets")
    with database.connection():
        return [row["id"] for row in database.rows(Ticket.select(Ticket.id).where(Ticket.number > 2_000_000))]


def _agent() -> Principal:
    user = identity.find_by_email("agent@example.test")
    assert user is not None, "the template has the demo's people"
    found = principals.find(Actor("user", str(user.id), user.name))
    assert found is not None, "the agent is active"
    return found
