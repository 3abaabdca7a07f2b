"""(lists) Lists and the counts of views, with 10,000 and with 100,000 tickets."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import psycopg2

from models.kernel import settings
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.ticket_lists.page import listed
from models.ticket_lists.resolving import resolve
from models.ticket_lists.views import counts
from models.ticket_lists.views.view import SHIPPED, View
from models.ticket_lists.words import Category, FilterWords
from models.visibility.sight import Sight
from scripts.bench import desk_seed, limits
from scripts.bench.report import Report, Target
from scripts.bench.stack import Stack

_figure_ms_max: Final = 8.0
_growth_max: Final = 1.2
_runs: Final = 15
_OPEN: Final[list[Category]] = ["todo", "waiting"]
# Facts that the seed does not have: waiting requesters, snoozed tickets, failed sends.
_FACTS: Final = (
    "UPDATE tickets SET unanswered_since = last_message_at WHERE category = 'todo' AND number % 10 = 1",
    "UPDATE tickets SET snoozed_at = updated_at WHERE category = 'todo' AND number % 50 = 7",
    "INSERT INTO deliveries (id, message_id, ticket_id, channel, account, address, state, automatic, created_at,"
    " attempts, operation, external_ids) SELECT gen_random_uuid(), m.id, m.ticket_id, 'email', 'demo',"
    " 'a@customer.example', CASE WHEN m.ticket_id::text < '08' THEN 'failed' ELSE 'sent' END, false, m.created_at, 1,"
    " 'send', '[]' FROM messages AS m WHERE m.sequence = 2 AND m.direction = 'outbound'"
    " AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.message_id = m.id)",
    "VACUUM (ANALYZE) tickets, deliveries",
)
# Name -> filter and order of a list.
_LISTS: Final[dict[str, tuple[FilterWords, str]]] = {
    "all, newest change": (FilterWords(), "-updated_at"),
    "category, newest": (FilterWords(category=["todo"]), "-created_at"),
    "category, newest change": (FilterWords(category=["todo"]), "-updated_at"),
    "mine, by priority": (FilterWords(category=_OPEN, assignee=["me"]), "-priority"),
    "open, by promise": (FilterWords(category=_OPEN), "next_due_at"),
}


def measure(stack: Stack, plan: limits.Plan, report: Report) -> None:
    """Print the rows of (lists)."""
    url = stack.postgres.create_database(template="bench_template")
    database.configure(settings.Settings(database_url=url))
    before: dict[str, float] = {}
    for tickets in plan.desk_tickets:
        desk_seed.seed(url, tickets)
        _complete(url)
        with database.connection():
            after = _figures()
        for name, figure_ms in after.items():
            growth = f", x{figure_ms / before[name]:.2f}" if name in before else ""
            met = figure_ms <= _figure_ms_max and (not growth or figure_ms <= before[name] * _growth_max)
            target = Target(met, f"<= {_figure_ms_max:g} ms, growth <= x{_growth_max:g}") if growth else None
            report.row("lists", f"{name}, {tickets:,} tickets", f"p50 {figure_ms:.2f} ms{growth}", target)
        before = after


def _complete(url: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in _FACTS:
            cursor.execute(statement)
    connection.close()


def _figures() -> dict[str, float]:
    [row] = database.run("SELECT id FROM users WHERE email = 'agent@example.test'")
    me = Sight(UUID(str(row["id"])), "agent")
    own: dict[str, JsonObject] = {
        "urgent": {"priority": ["urgent"], "category": _OPEN},
        "team": {"team": ["it"], "category": ["todo"]},
        "tags": {"tag": ["vip", "billing"], "category": _OPEN},
    }
    views = [*SHIPPED.values(), *(View(name, name, "own", words) for name, words in own.items())]
    found = {f"counts of {len(views)} views": _p50_ms(lambda: counts.of(views, me))}
    for name, (words, sort) in _LISTS.items():
        found[f"list: {name}"] = _p50_ms(_page(words, sort, me))
    return found


def _page(words: FilterWords, sort: str, me: Sight) -> Callable[[], Any]:
    return lambda: listed(resolve(words, me), sort=sort, after=None, limit=51, sight=me)


def _p50_ms(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(_runs + 2):
        started = perf_counter()
        work()
        taken.append((perf_counter() - started) * 1_000)
    return median(taken[2:])
