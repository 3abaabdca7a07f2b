"""(d) What a worker does: tasks a second from a backlog, and the time from a webhook's 2xx to the acknowledgement at
the Bot API.
"""

from __future__ import annotations

import time
from datetime import datetime

from scripts.bench import limits
from scripts.bench.limits import Plan
from scripts.bench.load import Load, Result
from scripts.bench.parts.webhooks import PATH, UPDATE
from scripts.bench.report import Report, Target
from scripts.bench.samples import Sample, Series, percentile
from scripts.bench.stack import TELEGRAM_HEADERS, Desk, Process, Stack
from scripts.bench.usage import Meter

_first_chat = 700_000_000
_warm_up = 5  # the first events of a process import its adapters and open its connections


def measure(stack: Stack, plan: Plan, report: Report) -> None:
    """Fill in the rows of (d)."""
    rates, latencies = Series(), Series()
    for _ in range(plan.repeats):
        rates.add(_backlog(stack, plan))
        latencies.add(_acknowledgements(stack, plan))
    figures = rates.medians()
    report.row(
        "d",
        f"tasks of one worker, 8 threads, backlog of {plan.backlog:,} events",
        f"{figures['per_s']:,.0f} tasks/s, CPU {figures['worker_ms']:.2f} + database {figures['database_ms']:.2f}"
        " ms each",
        series=rates,
    )
    figures = latencies.medians()
    p50, p99 = figures["p50_ms"], figures["p99_ms"]
    report.row(
        "d",
        f"webhook's 2xx to acknowledgement, {plan.acknowledgements_per_s:g}/s",
        f"p50 {p50:.1f} ms",
        Target(p50 < 30, "< 30 ms"),
        series=latencies,
    )
    report.row("d", "  p99", f"{p99:.1f} ms", Target(p99 < 150, "< 150 ms"))


def _store(port: int, *, count: int, first_n: int, clients: int = 4, per_s: float = 0.0) -> Result:
    load = Load(
        port,
        PATH,
        UPDATE,
        clients,
        headers=TELEGRAM_HEADERS,
        first_n=first_n,
        requests=count,
        per_s=per_s,
        answered_at=True,
    )
    result = load.run()
    result.check()
    return result


def _backlog(stack: Stack, plan: Plan) -> Sample:
    """Store events without a worker, then start one on the local queue: reading and advancing, no sends."""
    with stack.desk() as desk:
        web = desk.web("webhooks").wait_ready()
        _store(web.port, count=plan.backlog, first_n=_first_chat)
        web.stop()
        meter_groups = {"database": [stack.postgres_pid]}
        worker = desk.worker("default")
        meter = Meter({**meter_groups, "worker": [worker.pid]})
        _wait_until_drained(desk, worker)
        used, foreign = meter.read()
        done, first, last = desk.query(
            "SELECT count(*), extract(epoch FROM min(first_run_at)), extract(epoch FROM max(finished_at)) FROM tasks"
            " WHERE queue = 'default' AND state = 'done'"
        )[0]
        failed = desk.query("SELECT count(*) FROM inbox WHERE status <> 'processed'")[0][0]
        if failed:
            raise RuntimeError(f"{failed} events of the backlog were not processed; see {worker.log}")
    return Sample(
        {
            "per_s": float(done) / float(last - first),
            "worker_ms": used["worker"] * 1000 / float(done),
            "database_ms": used["database"] * 1000 / float(done),
        },
        foreign,
    )


def _wait_until_drained(desk: Desk, worker: Process) -> None:
    deadline = time.monotonic() + limits.drain_s_max
    while desk.query("SELECT count(*) FROM tasks WHERE queue = 'default' AND state IN ('ready', 'leased')")[0][0]:
        worker.check_alive()
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"the backlog was not done within {limits.drain_s_max:g} s; see {worker.log.read_text()[-1500:]}"
            )
        time.sleep(0.2)


def _acknowledgements(stack: Stack, plan: Plan) -> Sample:
    """Webhooks at a moderate rate from distinct chats; both instants are read from this machine's clock."""
    stack.sandbox.clear()
    with stack.desk() as desk:
        web = desk.web("webhooks").wait_ready()
        worker = desk.worker("default", "sends")
        _store(web.port, count=_warm_up, first_n=_first_chat, clients=1)
        _wait_for_sends(stack, _warm_up, worker)
        meter = Meter({})
        stored = _store(
            web.port, count=plan.acknowledgements, first_n=_first_chat + 1_000, per_s=plan.acknowledgements_per_s
        )
        received = _wait_for_sends(stack, _warm_up + plan.acknowledgements, worker)
        _, foreign = meter.read()
    waits_ms = [(received[int(chat)] - answered_at) * 1000 for chat, answered_at in stored.answered_at.items()]
    return Sample(
        {"p50_ms": percentile(waits_ms, 0.50), "p99_ms": percentile(waits_ms, 0.99), "max_ms": max(waits_ms)},
        foreign,
    )


def _wait_for_sends(stack: Stack, count: int, worker: Process) -> dict[int, float]:
    """Return the time at which each chat's message arrived, in seconds since 1970."""
    deadline = time.monotonic() + limits.drain_s_max
    while True:
        entries = [e for e in stack.sandbox.outbox("telegram") if e.get("method") == "sendMessage"]
        if len(entries) >= count:
            return {int(e["chat_id"]): datetime.fromisoformat(e["received_at"]).timestamp() for e in entries}
        worker.check_alive()
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"{len(entries)} of {count} acknowledgements within {limits.drain_s_max:g} s;"
                f" {worker.log.read_text()[-1500:]}"
            )
        time.sleep(0.2)
