"""(c) Webhook ingress: distinct Telegram updates at 8 clients, one function process as deployed."""

from __future__ import annotations

from scripts.bench.limits import Plan
from scripts.bench.load import Load
from scripts.bench.parts import telegram_reading
from scripts.bench.parts.tickets import Counter, load_sample
from scripts.bench.report import Report, Target
from scripts.bench.samples import Series
from scripts.bench.stack import TELEGRAM_HEADERS, Stack

PATH = "/webhooks/telegram/demo"
# A chat of its own for each update: order within one chat would make the work serial.
UPDATE = (
    '{"update_id":{n},"message":{"message_id":{n},"date":1767225600,'
    '"chat":{"id":{n},"type":"private","first_name":"Ada"},'
    '"from":{"id":{n},"is_bot":false,"first_name":"Ada","language_code":"en"},"text":"My printer is on fire"}}'
)
_clients = 8


def measure(stack: Stack, plan: Plan, report: Report) -> None:
    """Fill in the row of (c)."""
    counter = Counter()
    with stack.desk() as desk:
        web = desk.web("webhooks").wait_ready()
        series = Series()
        for _ in range(plan.repeats):
            series.add(
                load_sample(
                    stack,
                    web,
                    plan,
                    counter,
                    lambda n: Load(web.port, PATH, UPDATE, _clients, headers=TELEGRAM_HEADERS, first_n=n),
                )
            )
    figures = series.medians()
    report.row(
        "c",
        f"POST {PATH}, {_clients} clients",
        f"{figures['per_s']:,.0f}/s, p50 {figures['p50_ms']:.1f} ms",
        series=series,
    )
    report.row("c", "  p99", f"{figures['p99_ms']:.1f} ms", Target(figures["p99_ms"] < 50, "< 50 ms"))
    cpu = figures["program_ms"] + figures["database_ms"]
    report.row(
        "c",
        "  CPU a request",
        f"{cpu:.2f} ms = program {figures['program_ms']:.2f} + database {figures['database_ms']:.2f}"
        f" (RabbitMQ {figures['broker_ms']:.2f})",
    )
    telegram_reading.print_rows(report)
