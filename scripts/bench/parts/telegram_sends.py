"""(t) Sends to Telegram: the adapter as a worker's threads call it, against the fake Bot API over real HTTP, rate
limits off.

What the desk itself can carry; Telegram takes 30 a second of one bot.
"""

from __future__ import annotations

import io
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingAttachment, OutgoingMessage
from queues.channels.telegram.bot_api import bots
from queues.channels.telegram.send import send
from scripts.bench.limits import Plan
from scripts.bench.report import Report, Target
from scripts.bench.samples import Sample, Series, percentile
from scripts.bench.usage import Meter
from scripts.sandbox.client import SandboxProcess

_threads = (1, 8)  # one, and as many as a worker process has
_sends_per_s_min = 100.0  # three times what Telegram takes of one bot, on one process
_TOKEN = "NESTOR_SECRET_BENCH_TELEGRAM_TOKEN"  # noqa: S105 -- a variable's name
_ACCOUNT = ChannelAccount("telegram", "bench", 1, {"token": {"secret": "bench_telegram_token"}})
_TEXT = OutgoingMessage(
    delivery_id="bench",
    attempt_number=1,
    address="1",
    recipient_name="Ada",
    body="**Please** switch it off and _on_ again: [how](https://example.test/how)",
    body_format="markdown",
    subject=None,
    external_id=None,
    in_reply_to=None,
    references=(),
    automatic=False,
    ticket_number=1,
)
_PICTURE = bytes(range(256)) * 400  # 100 KB
_FILE = OutgoingAttachment(
    "picture.jpg", "image/jpeg", len(_PICTURE), sha256(_PICTURE).hexdigest(), lambda: io.BytesIO(_PICTURE)
)


def measure(sandbox: SandboxProcess, plan: Plan, report: Report) -> None:
    """Fill in the rows of (t)."""
    os.environ[_TOKEN] = "4242:bench"
    settings = Settings(secret_key=secrets.token_urlsafe(48), telegram_api_url=sandbox.bot_api_url)
    kinds = {
        "short texts with entities": _TEXT,
        "pictures of 100 KB": replace(_TEXT, attachments=(_FILE,)),
    }
    try:
        for what, message in kinds.items():
            for count in _threads if message is _TEXT else _threads[-1:]:
                series = Series()
                for _ in range(plan.repeats):
                    series.add(_sample(sandbox, plan, count, partial(_one, message, settings)))
                    sandbox.clear()
                _row(report, what, count, series, judged=message is _TEXT and count == _threads[-1])
    finally:
        bots.close()
        del os.environ[_TOKEN]


def _row(report: Report, what: str, count: int, series: Series, *, judged: bool) -> None:
    figures = series.medians()
    report.row(
        "t",
        f"{what}, {count} thread{'s' if count > 1 else ''}",
        f"{figures['per_s']:,.0f}/s, p50 {figures['p50_ms']:.1f} ms, CPU {figures['cpu_ms']:.2f} ms",
        Target(figures["per_s"] > _sends_per_s_min, f"> {_sends_per_s_min:.0f}/s") if judged else None,
        series=series,
    )


def _one(message: OutgoingMessage, settings: Settings, number: int) -> None:
    outcome = send(replace(message, address=str(number)), _ACCOUNT, settings)
    if outcome.kind != "accepted":
        raise RuntimeError(f"a send of the benchmark was not accepted: {outcome.kind}, {outcome.detail}")


def _sample(sandbox: SandboxProcess, plan: Plan, count: int, send_one: Callable[[int], None]) -> Sample:
    """Send with `count` threads for the sample's time; latencies of each send, CPU of this process."""
    send_one(1)  # connections, imports
    latencies: list[float] = []
    errors: list[Exception] = []
    meter = Meter({"program": [os.getpid()], "sandbox": [sandbox.pid]})
    started = time.perf_counter()
    end = started + plan.sample_s

    def work(first: int) -> None:
        number = first
        try:
            while (now := time.perf_counter()) < end:
                number += count
                send_one(number)
                latencies.append((time.perf_counter() - now) * 1000)
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(1, count + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - started
    used, foreign = meter.read()
    if errors:
        raise errors[0]
    cpu_ms = (used["program"] - used["sandbox"]) * 1000 / len(latencies)  # the sandbox is our child
    figures = {"per_s": len(latencies) / took_s, "p50_ms": percentile(latencies, 0.5), "cpu_ms": cpu_ms}
    return Sample(figures, foreign)
