"""Measure the desk on private servers, and print a table of the figures and their targets."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from models.kernel.errors import ConfigurationError
from scripts import _cli
from scripts.bench import limits
from scripts.bench.parts import (
    bulk,
    desk,
    imports,
    journeys,
    lifecycles,
    mail_parser,
    replies,
    reply_classifier,
    starts,
    telegram_sends,
    ticket_lists,
    tickets,
    webhooks,
    whole,
    work,
)
from scripts.bench.report import Report
from scripts.bench.stack import Stack
from tests.services.folder import ServiceUnavailable

PARTS = tuple("abcdefghijkmt")
WHOLE = "whole"
# Parts of many minutes; each runs only when it is named.
LONG_PARTS = (WHOLE, "desk", "lists")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="a: database alone, b: tickets, c: webhooks, d: tasks, e: cold starts, f: replies, g: life cycles,"
        " h: visible reply, i: mails, j: statements per journey,"
        " k: bulk changes, m: imports, t: sends to Telegram; default: all of these."
        " whole: the whole way of a message through every process."
        " desk: searches and lists of 10,000 and 100,000 tickets (some minutes)."
        " lists: lists and counts of views, likewise",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="take one small sample each; proves that the benchmark runs, its figures mean nothing",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the rows and their samples to FILE as JSON"
    )
    options = parser.parse_args()
    wanted = set(options.parts or PARTS)
    known = {*PARTS, *LONG_PARTS}
    if not wanted <= known:
        parser.error(f"PART: expected some of {', '.join(sorted(known))}, found {', '.join(sorted(wanted - known))}")
    report = Report()
    try:
        with Stack() as stack, tempfile.TemporaryDirectory() as folder:
            run(stack, limits.QUICK if options.quick else limits.Plan(), report, wanted, Path(folder))
    except ServiceUnavailable as error:
        raise ConfigurationError(f"the benchmark needs its own servers: {error}") from error
    report.end()
    if options.json is not None:
        report.write(options.json)
    return 0


def run(stack: Stack, plan: limits.Plan, report: Report, wanted: set[str], folder: Path) -> None:
    """Measure the wanted parts."""
    load = ", ".join(f"{x:.2f}" for x in os.getloadavg())
    report.note(
        f"{platform.machine()}, {psutil.cpu_count()} CPUs, Python {platform.python_version()}, load average before"
        f" {load};"
        f" PostgreSQL with fsync on; medians of {plan.repeats} samples of {plan.sample_s:g} s; load, servers and"
        " desk share the CPUs"
    )
    if wanted & {"a", "b"}:  # (a) alone would have no request to compare with
        tickets.measure(stack, plan, report, limit="a" in wanted, folder=folder)
    parts: dict[str, Callable[[], None]] = {
        "c": lambda: webhooks.measure(stack, plan, report),
        "d": lambda: work.measure(stack, plan, report),
        "e": lambda: starts.measure(stack, plan, report),
        "f": lambda: replies.measure(stack, plan, report),
        "g": lambda: lifecycles.measure(stack, plan, report),
        "h": lambda: reply_classifier.print_rows(report),
        "i": lambda: mail_parser.print_rows(report),
        "j": lambda: journeys.measure(stack, report),
        "k": lambda: bulk.measure(stack, plan, report),
        "m": lambda: imports.measure(stack, plan, report, folder),
        "desk": lambda: desk.measure(stack, plan, report),
        "lists": lambda: ticket_lists.measure(stack, plan, report),
        "t": lambda: telegram_sends.measure(stack.sandbox, plan, report),
        WHOLE: lambda: whole.measure(stack, plan, report, folder),
    }
    for part, measure in parts.items():
        if part in wanted:
            measure()


if __name__ == "__main__":
    _cli.end(main)
