"""Other libraries' log lines as the desk's own: a constant event, its fields, and the level that an operator's filter
should see.

gunicorn calls a worker that died of SIGSEGV a warning, Dramatiq calls a broker that restarts critical, with a trail for
each thread. A line that no rule names keeps its level, under the event `<library>_log` with the text in `message`.
"""

from __future__ import annotations

import logging
import re
import signal
from collections.abc import Callable
from typing import Any, TypeAlias

# The fields of a log line, by name. The library or the caller chooses them.
LogFields: TypeAlias = dict[str, Any]
Translation = tuple[int, str, LogFields]


def ended(pid: int, code: int, **more: Any) -> Translation:
    """Log a process that ended unexpectedly; `code` as `subprocess` gives it: negative for a signal."""
    if code >= 0:
        return logging.ERROR, "process_ended", {"pid": pid, "code": code, **more}
    return logging.ERROR, "process_killed", {"pid": pid, "signal": _signal_name(-code), **more}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def _gunicorn_signal(found: re.Match[str]) -> Translation:
    return (
        logging.ERROR,
        "process_killed",
        {"pid": int(found["pid"]), "signal": found["signal"], "role": "gunicorn worker"},
    )


def _gunicorn_code(found: re.Match[str]) -> Translation:
    return ended(int(found["pid"]), int(found["code"]), role="gunicorn worker")


def _gunicorn_hangs(found: re.Match[str]) -> Translation:
    return logging.ERROR, "process_hangs", {"pid": int(found["pid"]), "role": "gunicorn worker"}


def _dramatiq_code(found: re.Match[str]) -> Translation:
    return ended(int(found["pid"]), int(found["code"]), role="dramatiq worker")


def _broker_away(found: re.Match[str]) -> Translation:
    return logging.WARNING, "broker_away", {}


def _worker_added(found: re.Match[str]) -> Translation:
    return logging.INFO, "worker_added", {}


def _start_refused(found: re.Match[str]) -> Translation:
    return logging.ERROR, "start_refused", {}


_RULES: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], Translation]], ...] = (
    ("gunicorn", re.compile(r"Worker \(pid:(?P<pid>\d+)\) was sent (?P<signal>[^!]+)!"), _gunicorn_signal),
    ("gunicorn", re.compile(r"Worker \(pid:(?P<pid>\d+)\) exited with code (?P<code>-?\d+)"), _gunicorn_code),
    ("gunicorn", re.compile(r"WORKER TIMEOUT \(pid:(?P<pid>\d+)\)"), _gunicorn_hangs),
    (
        "dramatiq",
        re.compile(r"Worker with PID (?P<pid>\d+) exited unexpectedly \(code (?P<code>-?\d+)\)"),
        _dramatiq_code,
    ),
    ("dramatiq", re.compile(r"Consumer encountered a connection error"), _broker_away),
    ("dramatiq", re.compile(r"Failed to import module"), _start_refused),
    # The embedded desk has one worker for each queue, and Dramatiq gives each its middleware of this type.
    (
        "dramatiq",
        re.compile(r"You're adding a middleware of the same type twice: <dramatiq\.worker\._WorkerMiddleware"),
        _worker_added,
    ),
)


def translated(record: logging.LogRecord) -> Translation:
    """Level, event and fields of a line that is not the desk's own."""
    library = record.name.partition(".")[0]
    text = record.getMessage()
    if library == "dramatiq" and _of_a_broker(record):
        return logging.WARNING, "broker_away", {"message": text}
    for name, pattern, translate in _RULES:
        found = pattern.match(text) if name == library else None
        if found is not None:
            return translate(found)
    if record.name == "py.warnings":
        return record.levelno, "python_warning", {"message": text}
    return record.levelno, f"{library}_log", {"message": text}


def tells_trail(record: logging.LogRecord) -> bool:
    """Return True if the line's exception is news: a broker that is away has the same trail in every thread."""
    return not (record.name.startswith("dramatiq") and _of_a_broker(record))


def _of_a_broker(record: logging.LogRecord) -> bool:
    """Return True if Dramatiq's line carries an exception of the connection to the broker, by its type's module: pika
    is not imported here.
    """
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return False
    return isinstance(error, ConnectionError) or type(error).__module__.startswith(("pika.", "dramatiq.errors"))
