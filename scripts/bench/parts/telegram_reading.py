"""(c) What reading a Telegram update costs, beside taking it: microseconds for the webhook function's look and for the
worker's.

Every recorded update of the channel's folder is read, so a new kind that is slow to read shows; beside them the largest
that Telegram sends, and the largest that the webhook takes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from models.channels.accounts import ChannelAccount
from models.ports.inbound import IngressRequest
from queues.channels.telegram import ingress, parse
from scripts.bench.report import Report, Target

_FIXTURES = Path(__file__).resolve().parents[3] / "queues" / "channels" / "telegram" / "fixtures"
_ACCOUNT = ChannelAccount("telegram", "demo", 1, {"bot_username": "desk_bot"})
_SAMPLE_S = 0.5  # the updates are read again until this has passed
_MB = 1_000_000


def measure() -> dict[str, float]:
    """Microseconds of CPU time for each reading: the mean of all recorded updates, and the largest."""
    recorded = [path.read_bytes() for path in sorted(_FIXTURES.iterdir())]
    largest = _largest()
    hostile = json.dumps({"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1}, "text": "x" * _MB}}).encode()
    return {
        "take": _us(_take, recorded),
        "read": _us(_read, recorded),
        "4,096 letters, 100 entities": _us(_read, [largest]),
        "a megabyte of text": _us(_read, [hostile]),
    }


def print_rows(report: Report) -> None:
    """The rows of (c) about reading."""
    found = measure()
    report.row("c", "  reading: in the function, a recorded update", f"{found['take']:.0f} µs")
    report.row(
        "c",
        "  reading: in the worker, a recorded update",
        f"{found['read']:.0f} µs, {1e6 / found['read']:,.0f}/s",
        Target(found["read"] < 1_000, "< 1 ms"),
    )
    for name in ("4,096 letters, 100 entities", "a megabyte of text"):
        report.row("c", f"  reading: {name}", f"{found[name] / 1_000:.1f} ms")


def _take(raw: bytes) -> object:
    return ingress.receive(IngressRequest({}, raw), _ACCOUNT)


def _read(raw: bytes) -> object:
    return parse.parse(raw, {}, _ACCOUNT)


def _largest() -> bytes:
    """A text as long as Telegram lets it be, with as many marks."""
    kinds = ["bold", "italic", "text_link", "code"]
    entities = [
        {"type": kinds[number % 4], "offset": 40 * number, "length": 30, "url": "https://example.test/"}
        for number in range(100)
    ]
    message = {
        "message_id": 1,
        "chat": {"id": 1, "type": "private"},
        "text": "🔥a " * 1_024,
        "entities": entities,
    }
    return json.dumps({"update_id": 1, "message": message}).encode()


def _us(read: Callable[[bytes], object], updates: list[bytes]) -> float:
    """Measured in CPU time, so load of other programs does not count."""
    started, times = time.process_time(), 0
    while (passed := time.process_time() - started) < _SAMPLE_S or not times:
        for raw in updates:
            read(raw)
        times += 1
    return passed / (times * len(updates)) * 1e6
