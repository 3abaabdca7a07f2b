"""A machine whose clock is wrong: for a part of this process, or for a whole one.

`python -m tests.machine_clock AHEAD_S MODULE:FUNCTION [ARGUMENT...]` runs a program there.
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


def main() -> None:
    """Run the program to its end."""
    _, ahead_s, program, *arguments = sys.argv
    module, _, function = program.partition(":")
    sys.argv = [module, *arguments]
    with machine_clock(ahead_s=float(ahead_s)):
        sys.exit(getattr(importlib.import_module(module), function)())


if __name__ == "__main__":
    main()
