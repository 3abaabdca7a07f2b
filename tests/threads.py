"""A system that allows no further thread, as under a limit of processes (`ulimit -u`, a cgroup's `pids.max`)."""

from __future__ import annotations

import threading

import pytest


def refuse_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next start of a thread fail as CPython's does; later ones succeed."""
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
