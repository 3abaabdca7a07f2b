"""Imports everything that a task can use, before the threads start that run tasks.

Two threads that import a large package for the first time at the same moment can fail (`models/kernel/imports.py`), and the first task
of a kind would pay for its imports. So a worker and the embedded desk import in their main thread. A function does not: it must start
fast.
"""

from __future__ import annotations

import time

from models.kernel import imports, logs, type_info
from models.workflow import templates
from queues import actors, channels

log = logs.get("preloading")

_LIBRARIES = (
    "cel",
    *templates.LIBRARY,
    "nh3",
)  # libraries that tasks use and that our modules import inside functions


def preload() -> None:
    """Import the domain, every actor, every channel and their libraries: about 0.7 s and 55 MiB. Raises ImportError."""
    started = time.perf_counter()
    imports.load_all("models")
    for kind in sorted(actors.names()):
        actors.load(kind)
    for channel in sorted(channels.names()):
        channels.load_all(channel)
    imports.load("queues.runner", *_LIBRARIES)
    log.info(
        "preloaded",
        types=len(type_info.loaded()),
        duration_ms=round((time.perf_counter() - started) * 1000),
    )
