"""(whole) The whole way of a message, from the door to the provider, with every process that has a part in it.

`python -m scripts.bench whole` runs webhooks, gateway, a worker for each queue, PostgreSQL (fsync on) and RabbitMQ. It
prints the CPU of each process for one message, its statements and its wakeups, and the rates beside pgbench of the same
run. CPU and statements hardly depend on the load of the machine; rates do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.bench import limits
from scripts.bench.limits import Plan
from scripts.bench.load import Load, Result
from scripts.bench.parts import journeys, replies, tickets, webhooks
from scripts.bench.parts.limit import Limit
from scripts.bench.report import Report, Target
from scripts.bench.samples import percentile
from scripts.bench.stack import BEARER, TELEGRAM_HEADERS, TELEGRAM_SECRET, Desk, Process, Stack, Web
from scripts.bench.usage import Meter, memory

_MAIL = journeys.MAIL
_MAIL_HEADERS = {"Authorization": f"Bearer {TELEGRAM_SECRET}", "Content-Type": "message/rfc822"}
_GROUPS = ("webhooks", "gateway", "default worker", "sends worker", "RabbitMQ", "PostgreSQL")
_warm_up = 20  # messages; the processes import and connect meanwhile
_POLL_S = 0.05


@dataclass(slots=True)
class _Whole:
    """The processes of one run and what was sent so far."""

    stack: Stack
    desk: Desk
    webhooks: Web
    gateway: Web
    workers: list[Process]
    pids: dict[str, list[int]]
    sent: int = 0

    def send(self, load: Load, channel: str) -> tuple[Result, float, dict[str, float]]:
        """Send a load; return its result, the seconds until everything is at rest, and the CPU seconds by process."""
        meter = Meter(self.pids)
        started = time.monotonic()
        result = load.run()
        result.check()
        self.sent += load.requests
        deadline = started + limits.drain_s_max
        while len(self.stack.sandbox.outbox(channel)) < load.requests or self._unfinished():
            for process in (self.webhooks, self.gateway, *self.workers):
                process.check_alive()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the messages were not at their provider within {limits.drain_s_max:g} s")
            time.sleep(_POLL_S)
        seconds = time.monotonic() - started
        used, _ = meter.read()
        self.stack.sandbox.clear()
        return result, seconds, used

    def _unfinished(self) -> int:
        found = self.desk.query("SELECT count(*) FROM tasks WHERE state IN ('ready', 'leased') AND due_at <= now()")
        return int(found[0][0])


def measure(stack: Stack, plan: Plan, report: Report, folder: Path) -> None:
    """Fill in the rows of the whole way."""
    counted, woken = _counts(stack)
    stack.sandbox.clear()
    with stack.desk() as desk:
        whole = _started(stack, desk)
        _pgbench(stack, desk, report, folder)
        _idle(whole, report)
        count = plan.acknowledgements
        loads: dict[str, tuple[str, Callable[[int, int], Load], str]] = {
            "mail": ("email", lambda n, first: _mails(whole, n, first), "a mail"),
            "telegram": ("telegram", lambda n, first: _updates(whole, n, first, plan), "a Telegram update"),
            "api": ("email", lambda n, first: _api(whole, n, first), "a ticket of the API"),
            "reply": ("email", lambda n, first: _replies(whole, n, first), "an agent's reply"),
        }
        for name, (channel, make, title) in loads.items():
            whole.send(make(_warm_up, 1_000_000 + 10_000 * whole.sent), channel)
            result, seconds, used = whole.send(make(count, 5_000_000 + 10_000 * whole.sent), channel)
            _rows(report, name, title, count, result, seconds, used)
            if name in counted:
                bound = 28 if name == "mail" else None
                _at_most(report, "  statements", counted[name], bound, "", f", {woken[name]} wakeups")


def _counts(stack: Stack) -> tuple[dict[str, int], dict[str, int]]:
    with stack.desk() as desk:
        found = journeys.statements_of(desk.environment)
    with stack.desk() as desk:
        woken = journeys.wakeups_of(desk.environment)
    return {name: sum(count for count, _ in stages.values()) for name, stages in found.items()}, woken


def _started(stack: Stack, desk: Desk) -> _Whole:
    webhooks_, gateway = desk.web("webhooks").wait_ready(), desk.web("gateway").wait_ready()
    default, sends = desk.worker("default"), desk.worker("sends")
    time.sleep(limits.settle_s)
    pids = [webhooks_.pid, gateway.pid, default.pid, sends.pid, stack.rabbit_pid, stack.postgres_pid]
    groups = {name: [pid] for name, pid in zip(_GROUPS, pids, strict=True)}
    return _Whole(stack, desk, webhooks_, gateway, [default, sends], groups)


def _pgbench(stack: Stack, desk: Desk, report: Report, folder: Path) -> None:
    limit = Limit(stack, desk, tickets.BODIES["acknowledged"], row_by_row=False, folder=folder)
    per_s = limit.measure(8, limits.settle_s).figures["per_s"]
    report.row("w", "pgbench, the statements of an acknowledged ticket, 8 clients", f"{per_s:,.0f}/s")


def _idle(whole: _Whole, report: Report) -> None:
    """Memory of an idle web process, a worker and the scheduler."""
    scheduler = whole.desk.scheduler()
    time.sleep(limits.settle_s)
    found = memory([whole.gateway.pid, whole.workers[0].pid, scheduler.pid])
    scheduler.stop()
    _at_most(
        report,
        "idle: gateway, default worker and scheduler, RSS",
        found.rss_mib,
        150,
        " MiB",
        f" (PSS {found.pss_mib:.0f})",
    )


def _mails(whole: _Whole, count: int, first: int) -> Load:
    return Load(
        whole.webhooks.port, "/webhooks/email/demo", _MAIL, 4, headers=_MAIL_HEADERS, requests=count, first_n=first
    )


def _updates(whole: _Whole, count: int, first: int, plan: Plan) -> Load:
    return Load(
        whole.webhooks.port,
        webhooks.PATH,
        webhooks.UPDATE,
        1,  # the server would close a connection that waits for its turn
        headers=TELEGRAM_HEADERS,
        requests=count,
        first_n=first,
        per_s=plan.acknowledgements_per_s,
    )


def _api(whole: _Whole, count: int, first: int) -> Load:
    body = tickets.BODIES["acknowledged"]
    return Load(whole.gateway.port, "/v1/tickets", body, 8, headers=BEARER, requests=count, first_n=first)


def _replies(whole: _Whole, count: int, first: int) -> Load:
    """Replies to the newest tickets of the API, one after another, as one agent writes them."""
    found = whole.desk.query("SELECT id::text FROM tickets WHERE channel = 'api' ORDER BY number DESC LIMIT 200")
    headers = {"Authorization": f"Bearer {replies.sign_in(whole.gateway)}"}
    return Load(
        whole.gateway.port,
        "/v1/tickets/{item}/messages",
        replies.REPLY,
        1,
        headers=headers,
        requests=count,
        first_n=first,
        items=[str(one) for (one,) in found],
    )


def _rows(
    report: Report, name: str, title: str, count: int, result: Result, seconds: float, used: dict[str, float]
) -> None:
    by_process = " + ".join(f"{group} {s * 1000 / count:.1f}" for group, s in used.items() if s * 1000 / count >= 0.05)
    bounds = {"mail": 12.0, "api": 5.0}
    _at_most(report, f"{title}, CPU", sum(used.values()) * 1000 / count, bounds.get(name), " ms", f" = {by_process}")
    if name in ("mail", "api"):
        _at_least(report, "  accepted", result.per_s, 400 if name == "mail" else None, "/s")
        _at_least(
            report, "  at the provider, everything at rest", count / seconds, 110 if name == "mail" else 300, "/s"
        )
    if name == "reply":
        _at_most(report, "  response, p50", percentile(result.latencies_ms, 0.5), 5, " ms", "")


def _at_most(report: Report, what: str, value: float, bound: float | None, unit: str, more: str) -> None:
    target = None
    if bound is not None:
        target = Target(
            value <= bound, f"<= {bound:g}{unit}" + ("" if value <= bound else f", over by {value - bound:.3g}")
        )
    report.row("w", what, f"{value:.3g}{unit}{more}", target)


def _at_least(report: Report, what: str, value: float, bound: float | None, unit: str) -> None:
    target = None
    if bound is not None:
        short = "" if value >= bound else f", short by {bound - value:.3g}"
        target = Target(value >= bound, f">= {bound:g}{unit}{short}")
    report.row("w", what, f"{value:.3g}{unit}", target)
