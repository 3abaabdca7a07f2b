"""(g) Life cycles: decisions of the engine, due timers swept, a plan over many live tickets, a
replay of many events.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.kernel import clock, settings
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.publishing import plan as planning
from models.publishing.catalogue import Found
from models.tasks import timers
from models.ticket_workflow import replay
from models.workflow import definition, engine
from models.workflow.definition import Workflow
from models.workflow.instance import Actor, Context, Event, Instance
from scripts import defs
from scripts.bench import limits
from scripts.bench.report import Report, Target
from scripts.bench.stack import Stack

_LABEL = {"en": "Label", "ru": "Надпись"}


def measure(stack: Stack, plan: limits.Plan, report: Report) -> None:
    """Print the rows of (g)."""
    found = defs.read_all(demo=True)
    support = next(definition.read(one.body) for one in found if (one.kind, one.name) == ("workflow", "support"))
    _decisions(report, "support (5 states, 5 reactions)", support, plan.decisions)
    _decisions(report, "40 states, 150 transitions, all guarded", large(), plan.decisions)
    _fresh(stack)
    _timers(report, plan.due_timers)
    _plan(report, found, plan.live_tickets)
    _fresh(stack)
    _replay(report, support, plan.replayed_events)


def _fresh(stack: Stack) -> None:
    """Create a database with the shipped definitions and the demo's people."""
    database.configure(settings.Settings(database_url=stack.postgres.create_database(template="bench_template")))


def large() -> Workflow:
    """A life cycle of 40 states and 150 transitions with a guard each, and 60 reactions with conditions."""
    states = {f"s{n}": {"category": "todo" if n < 39 else "done", "label": _LABEL} for n in range(40)}
    transitions = {
        f"t{n}": {
            "from": [f"s{n % 40}"],
            "to": f"s{(n * 7 + n // 40 + 1) % 40}",
            "label": _LABEL,
            "who": ["agent", "automation"],
            "guard": 'ticket.priority in ["normal", "high"] && size(ticket.tags) < 5 && fields.amount < 1000.0',
        }
        for n in range(150)
    }
    reactions = [
        {
            "on": "requester_message",
            "name": f"r{n}",
            "when": f'message.automatic == "" && ticket.number == {n}',
            "do": [],
        }
        for n in range(60)
    ]
    body = {
        "workflow": "large",
        "label": _LABEL,
        "initial": "s0",
        "states": states,
        "transitions": transitions,
        "reactions": reactions,
    }
    return definition.read(body)


def _decisions(report: Report, what: str, workflow: Workflow, count: int) -> None:
    ticket = Instance(
        workflow.initial,
        "todo",
        fields={"amount": 5.0},
        number=7,
        contact_channel="email",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    context = Context(now=datetime(2026, 1, 2, tzinfo=UTC), actor=Actor("user", "u", "agent"))
    work: dict[str, Callable[[], object]] = {
        "an event": lambda: engine.react(workflow, ticket, context, Event("requester_message")),
        "a transition": lambda: engine.request(workflow, ticket, context, next(iter(workflow.transitions))),
        "all options": lambda: engine.options(workflow, ticket, context),
    }
    for name, decide in work.items():
        for _ in range(50):
            decide()
        took_s = []
        for _ in range(count):
            started = time.perf_counter()
            decide()
            took_s.append(time.perf_counter() - started)
        took_s.sort()
        p50_ms, p99_ms = took_s[count // 2] * 1000, took_s[int(count * 0.99)] * 1000
        figure = f"{count / sum(took_s):,.0f}/s, p50 {p50_ms:.3f} ms, p99 {p99_ms:.3f} ms"
        report.row("g", f"{name}: {what}", figure, Target(p99_ms < 1, "p99 under 1 ms"))


def _timers(report: Report, count: int) -> None:
    with database.transaction():
        database.execute(
            "INSERT INTO timers (name, kind, queue, key, payload, due_at) SELECT 'bench:' || n, 'collect_garbage',"
            " 'default', NULL, '{}',"
            " now() - interval '1 minute' FROM generate_series(1, :count) AS n",
            count=count,
        )
    started, fired = time.perf_counter(), 0
    while (batch := timers.fire_due()) > 0:
        fired += batch
    took_s = time.perf_counter() - started
    report.row("g", f"{fired:,} due timers turned into tasks", f"{took_s:.1f} s, {fired / took_s:,.0f}/s")


def _plan(report: Report, found: list[Found], count: int) -> None:
    """Tickets of support over three states, each solved one with its timer."""
    with database.transaction():
        database.execute(
            "INSERT INTO tickets (id, number, title, type, priority, state, category, workflow, workflow_version,"
            " channel, fields,"
            " created_at, updated_at) SELECT gen_random_uuid(), 1000000 + n, 'Bench', 'question', 'normal',"
            " (ARRAY['new', 'open', 'solved'])[1 + mod(n, 3)],"
            " 'todo', 'support', 1, 'api', '{}', now(), now() FROM generate_series(1, :count) AS n",
            count=count,
        )
        database.execute(
            "INSERT INTO timers (name, kind, queue, key, payload, due_at)"
            " SELECT 'ticket:' || id || chr(58) || 'auto_close', 'advance_ticket', 'default',"
            " 'ticket:' || id, '{}', now() + interval '1 day' FROM tickets WHERE state = 'solved'"
        )
    database.execute("ANALYZE tickets")
    [support] = [one for one in found if (one.kind, one.name) == ("workflow", "support")]
    text = support.source.replace("solved", "answered").replace("after: 7d", "after: 3d")
    from models.definitions import files

    draft = Found("workflow", "support", files.loads(text, "draft").body, text, Path("draft"))
    with database.connection():
        started = time.perf_counter()
        [entry] = planning.plan([draft])
        took_s = time.perf_counter() - started
    gone, moved = sum(entry.states_gone.values()), sum(entry.timers_moved.values())
    figure = f"{took_s:.2f} s; {gone:,} tickets in states that are gone, {moved:,} timers"
    report.row("g", f"plan over {count:,} live tickets", figure, Target(took_s < 10, "under 10 s"))


def _replay(report: Report, support: Workflow, events: int) -> None:
    """Tickets of ten recorded events each."""
    tickets = events // 10
    _record(tickets)
    now = clock.now()
    with database.connection():
        started = time.perf_counter()
        done = replay.replay("support", support, since=now - timedelta(days=60), until=now)
        took_s = time.perf_counter() - started
    figure = (
        f"{took_s:.1f} s, {done.events / took_s:,.0f} events/s;"
        f" {done.tickets:,} tickets, {done.faithful:,} baselines end as recorded"
    )
    report.row("g", f"replay of {done.events:,} recorded events", figure)


_STORY: tuple[tuple[str, int, str, JsonObject], ...] = (
    (
        "ticket_created",
        0,
        "requester",
        {
            "title": "Bench",
            "type": "question",
            "priority": "normal",
            "channel": "email",
            "state": "new",
            "requester_id": "x",
        },
    ),
    ("message_received", 0, "requester", {"channel": "email", "automatic": None}),
    ("message_added", 1, "user", {"automatic": False, "delivery_ids": []}),
    (
        "ticket_state_changed",
        1,
        "user",
        {"event": "agent_reply", "rule": "wait_after_reply", "from": "new", "to": "waiting_on_requester"},
    ),
    ("message_received", 2, "requester", {"channel": "email", "automatic": None}),
    (
        "ticket_state_changed",
        2,
        "system",
        {"event": "requester_message", "rule": "reopen_on_message", "from": "x", "to": "open"},
    ),
    ("note_added", 3, "user", {}),
    ("ticket_updated", 3, "user", {"changes": {"priority": {"from": "normal", "to": "high"}}}),
    (
        "ticket_state_changed",
        4,
        "user",
        {"event": "request", "rule": "resolve", "transition": "resolve", "from": "open", "to": "solved"},
    ),
    (
        "ticket_state_changed",
        4 + 24 * 7,
        "system",
        {"event": "timer", "rule": "close_after_a_week", "from": "solved", "to": "closed"},
    ),
)


def _record(tickets: int) -> None:
    from models.kernel.storage.batch import as_json

    agent = database.run("SELECT id FROM users WHERE role = 'agent' LIMIT 1")
    agent_id = str(agent[0]["id"]) if agent else str(new_id())
    with database.transaction():
        database.execute(
            "INSERT INTO tickets (id, number, title, type, priority, state, category, workflow, workflow_version,"
            " channel, fields,"
            " created_at, updated_at) SELECT gen_random_uuid(), n, 'Bench', 'question', 'high', 'closed', 'closed',"
            " 'support', 1, 'email', '{}',"
            " now() - interval '20 days', now() - interval '10 days' FROM generate_series(1, :count) AS n",
            count=tickets,
        )
        for sequence, (event_type, hours, kind, payload) in enumerate(_STORY, start=1):
            database.execute(
                "INSERT INTO events (event_id, event_type, occurred_at, aggregate, aggregate_id, sequence,"
                " actor_kind, actor_id, payload)"
                " SELECT gen_random_uuid(), :type, t.created_at + :hours * interval '1 hour', 'ticket', t.id,"
                " :sequence, :kind, :actor,"
                " :payload"
                " FROM tickets AS t",
                type=event_type,
                hours=hours,
                sequence=sequence,
                kind=kind,
                actor=agent_id if kind == "user" else None,
                payload=as_json(payload),
            )
    database.execute("ANALYZE")
