"""(b) POST /v1/tickets over HTTP, beside (a) its limit, sample by sample, so that both meet the same machine.

Two bodies: a ticket with a description (ticket, message, two events), and one whose requester has an e-mail address:
that also finds or makes the requester, evaluates the life cycle's condition, takes the acknowledgement's rate slots,
and writes the acknowledgement with its delivery and its task. The task's wakeup goes to RabbitMQ. No worker runs: the
targets are the function's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from scripts.bench.limits import Plan
from scripts.bench.load import Load
from scripts.bench.parts.limit import Limit
from scripts.bench.report import Report, Target
from scripts.bench.samples import Sample, Series, percentile
from scripts.bench.stack import BEARER, Desk, Stack, Web
from scripts.bench.usage import Meter

BODIES = {
    "plain": '{"title":"Printer {n} is on fire","description":"It began this morning, after the delivery."}',
    "acknowledged": '{"title":"Printer {n} is on fire","description":"It began this morning, after the delivery.",'
    '"requester":{"name":"Ada {n}","email":"ada{n}@example.test"}}',
}
_workers = 2  # the number


def measure(stack: Stack, plan: Plan, report: Report, *, limit: bool, folder: Path) -> None:
    """Fill in the rows of (a) and (b)."""
    for name, body in BODIES.items():
        with stack.desk() as desk:
            limits = _limits(stack, desk, body, report, name, folder) if limit else {}
            web = desk.web("gateway", HTTP_WORKERS=str(_workers)).wait_ready()
            found = _alternate(stack, web, plan, body, limits)
        for clients in plan.clients:
            _tell(report, name, clients, found)


def _limits(stack: Stack, desk: Desk, body: str, report: Report, name: str, folder: Path) -> dict[str, Limit]:
    program = Limit(stack, desk, body, row_by_row=False, folder=folder)
    rows = Limit(stack, desk, body, row_by_row=True, folder=folder)
    report.note(
        f"POST /v1/tickets, {name}: the program executes {program.statements} statements in its transaction;"
        f" {rows.statements} with each row inserted alone"
    )
    return {"program": program, "rows": rows}


def _alternate(
    stack: Stack, web: Web, plan: Plan, body: str, limits: dict[str, Limit]
) -> dict[tuple[str, int], Series]:
    found: dict[tuple[str, int], Series] = {}
    counter = Counter()
    for _ in range(plan.repeats):
        for clients in plan.clients:
            for name, limit in limits.items():
                sample = limit.measure(clients, plan.sample_s)
                found.setdefault((name, clients), Series()).add(sample)
            make = partial(_load, web, body, clients)
            load = load_sample(stack, web, plan, counter, make)
            found.setdefault(("http", clients), Series()).add(load)
    return found


def _load(web: Web, body: str, clients: int, first_n: int) -> Load:
    return Load(web.port, "/v1/tickets", body, clients, headers=BEARER, first_n=first_n)


class Counter:
    """Numbers that no other request of the run has."""

    def __init__(self) -> None:
        self._next = 1_000_000

    def block(self) -> int:
        """The first of a million numbers."""
        self._next += 1_000_000
        return self._next


def load_sample(stack: Stack, web: Web, plan: Plan, counter: Counter, make: Callable[[int], Load]) -> Sample:
    """Warm up, then measure: rate, latencies, and CPU per request of function, database and broker."""
    warm_up = make(counter.block())
    warm_up.duration_s = plan.warm_up_s
    warm_up.run().check()
    load = make(counter.block())
    load.duration_s = plan.sample_s
    meter = Meter({"program": [web.pid], "database": [stack.postgres_pid], "broker": [stack.rabbit_pid]})
    result = load.run()
    used, foreign = meter.read()
    result.check()
    count = len(result.latencies_ms)
    return Sample(
        {
            "per_s": result.per_s,
            "p50_ms": percentile(result.latencies_ms, 0.50),
            "p99_ms": percentile(result.latencies_ms, 0.99),
            "program_ms": used["program"] * 1000 / count,
            "database_ms": used["database"] * 1000 / count,
            "broker_ms": used["broker"] * 1000 / count,
            "load_ms": result.cpu_s * 1000 / count,
        },
        foreign,
    )


def _tell(report: Report, name: str, clients: int, found: dict[tuple[str, int], Series]) -> None:
    http = found["http", clients]
    figures = http.medians()
    ratio = None
    for kind, label in (("program", "the program's statements"), ("rows", "row by row")):
        if (kind, clients) not in found:
            continue
        limit = found[kind, clients]
        per_s = limit.median("per_s")
        report.row("a", f"pgbench, {name}, {label}, {clients} clients", f"{per_s:,.0f}/s", series=limit)
        if kind == "program":
            ratio = figures["per_s"] / per_s
    report.row(
        "b",
        f"POST /v1/tickets, {name}, {clients} clients",
        f"{figures['per_s']:,.0f}/s, p50 {figures['p50_ms']:.1f} ms",
        series=http,
    )
    if ratio is not None:
        target = Target(ratio >= 0.20, ">= 20 % of (a), aim 30 %") if clients == 8 else None
        report.row("b", "  of (a)", f"{ratio:.0%}", target)
    p99 = figures["p99_ms"]
    report.row("b", "  p99", f"{p99:.1f} ms", Target(p99 < 175, "< 175 ms") if clients == 32 else None)
    cpu = figures["program_ms"] + figures["database_ms"]
    report.row(
        "b",
        "  CPU a request",
        f"{cpu:.2f} ms = program {figures['program_ms']:.2f} + database {figures['database_ms']:.2f}"
        f" (RabbitMQ {figures['broker_ms']:.2f}, load generator {figures['load_ms']:.2f})",
        Target(cpu <= 2.0, "<= 2 ms"),
    )
