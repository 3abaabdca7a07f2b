"""(a) The limit: pgbench executes the statements of one POST /v1/tickets in one transaction, with no program in front
of it.
"""

from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path

from scripts.bench import pgbench_script, recorded
from scripts.bench.samples import Sample
from scripts.bench.stack import Desk, Stack
from scripts.bench.usage import Meter

_runs = itertools.count(1)  # each run's ids are its own


class Limit:
    """A pgbench script for one request body, and its measurement on a desk's database."""

    def __init__(self, stack: Stack, desk: Desk, body: str, *, row_by_row: bool, folder: Path) -> None:
        with stack.desk() as scratch:
            first, second = recorded.statements_of(body, scratch.environment, row_by_row=row_by_row)
        self.statements = len(first)
        self._stack = stack
        self._desk = desk
        self._file = folder / f"limit-{'rows' if row_by_row else 'program'}-{len(first)}.sql"
        self._file.write_text(pgbench_script.script(first, second))

    def measure(self, clients: int, duration_s: float) -> Sample:
        """Transactions per second with this many connections."""
        run = next(_runs)
        meter = Meter({"database": [self._stack.postgres_pid]})
        done = subprocess.run(
            [
                self._stack.postgres.bin("pgbench"),
                "-n",
                "-M",
                "simple",
                "-c",
                str(clients),
                "-j",
                str(min(2, clients)),
                "-T",
                str(max(1, round(duration_s))),
                "-D",
                f"bench_n={pgbench_script.FIRST_COUNT + run * 1_000_000}",
                "-f",
                str(self._file),
                self._desk.database_url,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        used, foreign = meter.read()
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
        if done.returncode != 0 or found is None or (failed is not None and failed[1] != "0"):
            raise RuntimeError(f"pgbench failed: {done.stderr[-2_000:]}")
        tps = float(found[1])
        database_ms = used["database"] * 1000 / (tps * max(1, round(duration_s)))
        return Sample({"per_s": tps, "database_ms": database_ms}, foreign)
