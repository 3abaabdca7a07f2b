"""The imports of a process before the threads that run its tasks start.

Two threads that import a large package for the first time at the same moment can fail (`models/kernel/imports.py`). So
each import in a thread takes the lock of `imports.load`.

The embedded desk imports the actors, all that the actors use, and the channels in its main thread, because it runs the
functions and the tasks in one process and its first task comes soon. A worker imports the runner alone. The first task
of a kind imports its actor (`actors.load`), the first task or reader of a channel the channel's folder
(`channels.complete`), and the first template or condition its library: 0.1 to 0.3 s once each. An idle worker of one
queue then does not hold what the tasks of other queues use: all actors and their libraries take 12 MiB,
python-telegram-bot 18 MiB, the mail channel 5 MiB.
"""

from __future__ import annotations

import importlib.util
import sys
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
# Packages that a worker imports at the first task that needs them.
TASKS_USE: tuple[str, ...] = ("cel", "jinja2", "nh3", "requests", "snowballstemmer")


def preload_runner() -> None:
    """Import the runner of tasks without the actors, and check that their libraries are installed. Needs no database.
    For a worker.

    Raises ImportError: a worker of an incomplete installation must not start and fail each of its tasks.
    """
    started = time.perf_counter()
    # A loaded library is installed; `find_spec` refuses one that was loaded without its package (Snowball's stemmers).
    missing = [name for name in TASKS_USE if name not in sys.modules and importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(f"tasks need libraries that are not installed: {', '.join(missing)}", name=missing[0])
    with imports.at_start():
        # The standard library imports `stringprep` at the first host name that it resolves, without our lock.
        imports.load("queues.runner", "stringprep")
    _log_loaded("runner", started)


def preload() -> None:
    """Import every actor, all that the actors use, and their libraries. Needs no database. For the embedded desk.

    Raises ImportError.
    """
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
