"""A second machine of the desk, whose clock is wrong: `with another_machine(desk, ahead_s=600): ...`.

Inside, this process behaves as one that was started there: the machine's clock reads another time, nothing is cached or connected
from before, and the database is the same one with the same clock.
"""

from __future__ import annotations

import importlib
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest import mock

from models.kernel import clock, ids
from models.tasks import hints
from tests.desk import Desk
from tests.fixtures_desk import bind


@contextmanager
def machine_clock(*, ahead_s: float) -> Iterator[None]:
    """Set this process's machine's clock. The steady clock is nobody's to set, so it is left alone."""
    real_time_s = time.time

    def now(tz: tzinfo) -> datetime:
        return datetime.now(tz) + timedelta(seconds=ahead_s)

    def wrong_time_s() -> float:
        return real_time_s() + ahead_s

    wrong = SimpleNamespace(now=now, fromtimestamp=datetime.fromtimestamp)
    with (
        mock.patch.object(clock, "datetime", wrong),
        mock.patch.object(time, "time", wrong_time_s),
        # A library that makes UUIDv7 reads the machine's clock too.
        mock.patch.object(ids, "uuid_utils", SimpleNamespace(uuid7=lambda: _uuid7(ahead_s)), create=True),
    ):
        yield


def _uuid7(ahead_s: float) -> Any:
    at_ms = int((datetime.now(UTC).timestamp() + ahead_s) * 1000)
    return SimpleNamespace(int=at_ms << 80 | 0x7 << 76 | 0b10 << 62 | secrets.randbits(62))


@contextmanager
def another_machine(desk: Desk, *, ahead_s: float) -> Iterator[None]:
    """What happens inside happens on a machine whose clock is `ahead_s` seconds ahead of the database's."""
    with machine_clock(ahead_s=ahead_s):
        _start(desk)
        yield
    _start(desk)


def _start(desk: Desk) -> None:
    bind(desk.settings.database_url)
    hints.set_publisher(desk.hints.append)


def main() -> None:
    """`python -m tests.other_machine AHEAD_S MODULE:FUNCTION`: a process on a machine whose clock is wrong."""
    module, _, name = sys.argv[2].partition(":")
    with machine_clock(ahead_s=float(sys.argv[1])):
        getattr(importlib.import_module(module), name)()


if __name__ == "__main__":
    main()
