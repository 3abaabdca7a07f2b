"""(e) Cold starts: from the spawn to the first 200, and the memory it takes; the idle desk's memory."""

from __future__ import annotations

import time
from collections.abc import Callable

from scripts.bench import limits, usage
from scripts.bench.limits import Plan
from scripts.bench.parts.webhooks import PATH, UPDATE
from scripts.bench.report import Report, Target
from scripts.bench.samples import Sample, repeat
from scripts.bench.stack import BEARER, TELEGRAM_HEADERS, TICK_TOKEN, Desk, Stack, Web

# A first request of real work each: it opens the database connection and loads what a probe does not.
_FIRST: dict[str, tuple[str, str, bytes | None, dict[str, str]]] = {
    "gateway": ("GET", "/v1/tickets", None, BEARER),
    "webhooks": (
        "POST",
        PATH,
        UPDATE.replace("{n}", "1").encode(),
        {**TELEGRAM_HEADERS, "Content-Type": "application/json"},
    ),
    "tick": ("POST", "/tick", b"{}", {"Authorization": f"Bearer {TICK_TOKEN}"}),
}


def measure(stack: Stack, plan: Plan, report: Report) -> None:
    """Fill in the rows of (e)."""
    for function in _FIRST:
        series = repeat(plan.cold_starts, _start_of(stack, function))
        figures = series.medians()
        is_webhook = function == "webhooks"
        report.row(
            "e",
            f"{function}: spawn to /readyz, to the first request done",
            f"{figures['ready_s'] * 1000:.0f} ms, {figures['first_s'] * 1000:.0f} ms",
            Target(figures["first_s"] < 0.5, "< 0.5 s") if is_webhook else None,
            series=series,
        )
        report.row(
            "e",
            "  memory after it",
            f"RSS {figures['rss_mib']:.0f} MiB (master + worker), PSS {figures['pss_mib']:.0f} MiB",
            Target(figures["rss_mib"] < 80, "< 80 MB") if is_webhook else None,
        )
    with stack.desk() as desk:
        _idle(desk, report)


def _start_of(stack: Stack, function: str) -> Callable[[], Sample]:
    def start() -> Sample:
        with stack.desk() as desk:
            meter = usage.Meter({})
            web = desk.web(function)
            ready_s = web.seconds_to("GET", "/readyz")
            method, path, body, headers = _FIRST[function]
            first_s = web.seconds_to(method, path, body, headers)
            held = usage.memory([web.pid])
            _, foreign = meter.read()
        return Sample(
            {"ready_s": ready_s, "first_s": first_s, "rss_mib": held.rss_mib, "pss_mib": held.pss_mib},
            foreign,
        )

    return start


def _idle(desk: Desk, report: Report) -> None:
    """Gateway, worker and scheduler, each after its first work."""
    web: Web = desk.web("gateway").wait_ready()
    worker = desk.worker("default", "sends").wait_for("worker_started")  # it has imported all that tasks use
    parts = {"web": web, "worker": worker, "scheduler": desk.scheduler()}
    web.request("GET", "/v1/tickets", None, BEARER)
    time.sleep(limits.settle_s)
    for part in parts.values():
        part.check_alive()
    held = {name: usage.memory([part.pid]) for name, part in parts.items()}
    total = sum(held.values(), usage.Memory(0.0, 0.0))
    each = ", ".join(f"{name} {memory.rss_mib:.0f}/{memory.pss_mib:.0f}" for name, memory in held.items())
    # Both readings of "150 MB": what the parts take from the machine, and what `ps` adds up, where shared pages count
    # for each process.
    report.row(
        "e",
        "idle web + worker + scheduler, PSS",
        f"{total.pss_mib:.0f} MiB (RSS/PSS: {each})",
        Target(total.pss_mib < 150, "< 150 MB"),
    )
    report.row("e", "  sum of RSS", f"{total.rss_mib:.0f} MiB", Target(total.rss_mib < 150, "< 150 MB"))
