"""(f) An agent's reply: POST /v1/tickets/{id}/messages, one agent, one after another, as a person's
client sends them.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection

from scripts.bench import limits
from scripts.bench.limits import Plan
from scripts.bench.load import Load
from scripts.bench.parts.tickets import BODIES
from scripts.bench.report import Report, Target
from scripts.bench.samples import Sample, Series, percentile
from scripts.bench.stack import BEARER, Desk, Stack, Web
from scripts.bench.usage import Meter
from scripts.seed import PASSWORD

REPLY = '{"kind":"reply","body":"Please switch it off and on again. ({n})"}'


def measure(stack: Stack, plan: Plan, report: Report) -> None:
    """Fill in the rows of (f)."""
    series = Series()
    for _ in range(plan.repeats):
        with stack.desk() as desk:
            series.add(_replies(stack, desk, plan))
    figures = series.medians()
    report.row(
        "f",
        "an agent's reply: p50",
        f"{figures['p50_ms']:.1f} ms",
        Target(figures["p50_ms"] < 10, "< 10 ms"),
        series=series,
    )
    report.row("f", "  p99", f"{figures['p99_ms']:.1f} ms")
    report.row(
        "f",
        "  CPU a request",
        f"program {figures['program_ms']:.2f} + database {figures['database_ms']:.2f} ms",
    )


def _replies(stack: Stack, desk: Desk, plan: Plan) -> Sample:
    web = desk.web("gateway").wait_ready()
    Load(web.port, "/v1/tickets", BODIES["acknowledged"], 4, headers=BEARER, requests=plan.replies).run().check()
    tickets = [str(ticket) for (ticket,) in desk.query("SELECT id::text FROM tickets")]
    headers = {"Authorization": f"Bearer {sign_in(web)}"}
    load = Load(
        web.port,
        "/v1/tickets/{item}/messages",
        REPLY,
        1,
        headers=headers,
        requests=plan.replies,
        items=tickets,
    )
    load.run().check()  # warm: the first replies of a process and the tickets' change of state
    meter = Meter({"program": [web.pid], "database": [stack.postgres_pid]})
    result = load.run()
    used, foreign = meter.read()
    result.check()
    count = len(result.latencies_ms)
    return Sample(
        {
            "p50_ms": percentile(result.latencies_ms, 0.50),
            "p99_ms": percentile(result.latencies_ms, 0.99),
            "program_ms": used["program"] * 1000 / count,
            "database_ms": used["database"] * 1000 / count,
        },
        foreign,
    )


def sign_in(web: Web) -> str:
    """An agent's access token."""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=limits.request_s_max)
    try:
        body = json.dumps({"email": "agent@example.test", "password": PASSWORD})
        connection.request("POST", "/v1/auth/tokens", body, {"Content-Type": "application/json"})
        return str(json.loads(connection.getresponse().read())["access_token"])
    finally:
        connection.close()
