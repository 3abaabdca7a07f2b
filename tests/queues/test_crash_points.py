"""The process ends at each point of `telemetry/crash.py` as kill -9 would end it; the next start loses and doubles
nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.kernel.telemetry import crash
from tests.desk import Desk, gapless

ROOT = Path(__file__).resolve().parents[2]
KILLED = 137
# The window in which nobody can know whether the provider has the message: the call was made and not recorded.
ATTEMPTS_AT = {"before_call": "unknown", "after_call": "unknown"}


def _run(calls: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.queues.crashing"],
        cwd=ROOT,
        env={**os.environ, "CALLS": str(calls), **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_point_is_a_case_here() -> None:
    assert set(ATTEMPTS_AT) < set(crash.POINTS)


@pytest.mark.parametrize("point", crash.POINTS)
def test_a_crash_loses_nothing_and_doubles_nothing_but_the_call_it_cut_in_two(
    desk: Desk, tmp_path: Path, point: str
) -> None:
    calls = tmp_path / "calls.jsonl"

    crashed = _run(calls, CRASH_AT=point)
    again = _run(calls, CLOCK_SHIFT_S="60")

    assert crashed.returncode == KILLED, crashed.stderr
    assert again.returncode == 0, again.stderr
    ticket = desk.ticket()
    assert desk.bodies(ticket) == ["Help!"]
    assert len(desk.bodies(ticket, "outbound")) == 2  # the acknowledgement and the reply
    assert gapless([event["sequence"] for event in desk.events(ticket)])
    assert {task["state"] for task in desk.tasks()} == {"done"}
    told = [json.loads(line) for line in calls.read_text().splitlines()]
    outcomes = [a["outcome"] for d in desk.deliveries(ticket) for a in d["attempt_log"]]
    if point in ATTEMPTS_AT:
        assert outcomes == ["unknown", "accepted", "accepted"]
        assert len(told) == (2 if point == "before_call" else 3)
    else:
        assert outcomes == ["accepted", "accepted"]
        assert len(told) == 2
    assert told[-1]["body"] == "Water it."
