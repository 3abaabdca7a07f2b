"""The import of the modules that tasks use, before the threads that run tasks start.

Two threads that import a large package for the first time at the same moment can fail (`models/kernel/imports.py`), and
the first task of a kind would wait for its imports. So a worker and the embedded desk import the actors, and all that
the actors use, in their main thread. A function does not, because it must start fast.

A worker does not import the channels' folders at its start: python-telegram-bot and its libraries take 18 MiB, the mail
channel 5 MiB. The first task or reader of a channel imports the channel's whole folder under the lock of `imports.load`
(`channels.complete`), which costs that task 0.3 s. The embedded desk imports them before its threads, because its
functions serve requests in the same process.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from models.channels import accounts
from models.kernel import imports, type_info
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.workflow import templates
from queues import actors, channels
from queues.processes import starting

log = logs.get("preloading")

# Modules that tasks use and that the desk's modules import inside functions.
_LIBRARIES = (
    "cel",
    *templates.LIBRARY,
    "nh3",
    "queues.channels.html_text",
    "models.expressions.parts",
    "models.expressions.semantics",
)


def preload() -> None:
    """Import every actor, all that the actors use, and their libraries. Needs no database. Raises ImportError."""
    started = time.perf_counter()
    with imports.at_start():
        for kind in sorted(actors.names()):
            actors.load(kind)
        imports.load("queues.runner", *_LIBRARIES)
    _log_loaded("domain", started)


def preload_channels() -> None:
    """Import the channels with published accounts; waits for an unavailable database. For the embedded desk.

    Raises ImportError, Unavailable.
    """
    load_channels(starting.through_outage(_used_channels))


def load_channels(names: Iterable[str]) -> None:
    """Import the whole folder of each channel. Raises ImportError."""
    started = time.perf_counter()
    for channel in sorted(names):
        channels.load_all(channel)
    _log_loaded("channels", started)


def _used_channels() -> frozenset[str]:
    with database.connection():
        return channels.names() & {account.channel for account in accounts.every()}


def _log_loaded(part: str, started: float) -> None:
    duration_ms = round((time.perf_counter() - started) * 1000)
    log.info("preloaded", part=part, types=len(type_info.loaded()), duration_ms=duration_ms)
