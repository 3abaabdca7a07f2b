"""(desk) A desk of many tickets: searches and lists over HTTP at two sizes, and lists while others search.

The sizes are compared in one run, because a ratio says more than a figure of a machine. Seeding and indexing 100,000
tickets takes some minutes, so the part runs only when it is named.
"""

from __future__ import annotations

import json
import threading
from urllib.parse import quote

from scripts.bench import desk_seed
from scripts.bench.limits import Plan
from scripts.bench.load import Load
from scripts.bench.report import Report, Target
from scripts.bench.samples import percentile
from scripts.bench.stack import BEARER, Desk, Stack, Web

# What is measured -> (path, the most milliseconds of the median, or None).
_SEARCH = "/v1/search?limit=25&sort=-updated_at&q="
READS: dict[str, tuple[str, float | None]] = {
    "search: rare word": (_SEARCH + desk_seed.RARE, 13.0),
    "search: common word": (_SEARCH + desk_seed.COMMON, 150.0),
    "search: middling word": (_SEARCH + desk_seed.MIDDLING, 150.0),
    "search: phrase": (_SEARCH + quote(f'"{desk_seed.PHRASE}"'), 150.0),
    "search: two words": (_SEARCH + quote(desk_seed.PHRASE), 150.0),
    "search: beginning": (_SEARCH + quote(desk_seed.COMMON[:4] + "*"), 150.0),
    "search: part of an address": (_SEARCH + "customer12.exam", 150.0),
    "search: word and operators": (_SEARCH + quote(f"{desk_seed.COMMON} category:todo priority:high"), 150.0),
    "search: rare word by relevance": (f"/v1/search?q={desk_seed.RARE}", None),
    "list: newest": ("/v1/tickets?limit=25", None),
}
# The path is known when the ticket is written.
_LONG_TICKET = "ticket with 20 messages"
_long_ticket_ms_max = 5.0
_long_ticket_messages = 20
_growth_max = 1.2
_list_p99_ms_max = 50.0
_searchers = 8


def measure(stack: Stack, plan: Plan, report: Report) -> None:
    """Print the rows of (desk)."""
    medians: list[dict[str, float]] = []
    for tickets in plan.desk_tickets:
        with stack.desk() as desk:
            _fill(desk, tickets)
            web = desk.web("gateway", HTTP_WORKERS="2").wait_ready()
            reads = {name: path for name, (path, _) in READS.items()} | {_LONG_TICKET: _long_ticket(desk, web)}
            medians.append({name: _median_ms(web, path, plan) for name, path in reads.items()})
            _while_others_search(web, plan, report, tickets)
    limits = {name: most for name, (_, most) in READS.items()} | {_LONG_TICKET: _long_ticket_ms_max}
    for name, most in limits.items():
        small, *_, large = (found[name] for found in medians) if len(medians) > 1 else (medians[0][name],) * 2
        target = Target(large <= most, f"<= {most:g} ms") if most is not None else None
        sizes = " -> ".join(f"{found[name]:.1f} ms" for found in medians)
        report.row("desk", f"{name}, p50 at {' and '.join(f'{n:,}' for n in plan.desk_tickets)}", sizes, target)
        report.row(
            "desk", "  growth", f"x{large / small:.2f}", Target(large / small <= _growth_max, f"<= x{_growth_max}")
        )


def _fill(desk: Desk, tickets: int) -> None:
    desk_seed.seed(desk.database_url, tickets)
    desk.command("scripts.search", "rebuild")


def _long_ticket(desk: Desk, web: Web) -> str:
    """Add notes to a ticket until it has `_long_ticket_messages`; return the path of its messages."""
    [(ticket, messages)] = desk.query(
        "SELECT ticket_id, count(*) FROM messages GROUP BY ticket_id ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    path = f"/v1/tickets/{ticket}/messages"
    for number in range(int(messages), _long_ticket_messages):
        note = json.dumps({"kind": "note", "body": f"Looked at it for the {number}th time."}).encode()
        status = web.request("POST", path, note, BEARER | {"Content-Type": "application/json"})
        if status != 201:
            raise RuntimeError(f"POST {path} answered {status}")
    return f"{path}?limit=25"


def _median_ms(web: Web, path: str, plan: Plan) -> float:
    warm_up = _load(web, path, clients=1, seconds=plan.warm_up_s)
    warm_up.run().check()
    result = _load(web, path, clients=1, seconds=plan.sample_s).run()
    result.check()
    return percentile(result.latencies_ms, 0.5)


def _while_others_search(web: Web, plan: Plan, report: Report, tickets: int) -> None:
    """Measure lists while eight clients send a heavy search each. A search without a place answers 503."""
    heavy = _load(web, _SEARCH + quote(f'"{desk_seed.PHRASE}"'), clients=_searchers, seconds=plan.sample_s + 1)
    others = threading.Thread(target=heavy.run)
    others.start()
    result = _load(web, "/v1/tickets?limit=25", clients=1, seconds=plan.sample_s).run()
    others.join()
    result.check()
    p99 = percentile(result.latencies_ms, 0.99)
    target = Target(p99 < _list_p99_ms_max, f"< {_list_p99_ms_max:g} ms")
    report.row("desk", f"list at {tickets:,}, p99 while {_searchers} search", f"{p99:.1f} ms", target)


def _load(web: Web, path: str, *, clients: int, seconds: float) -> Load:
    return Load(web.port, path, "", clients, headers=BEARER, method="GET", duration_s=seconds)
