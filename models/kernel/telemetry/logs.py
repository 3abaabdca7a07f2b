"""JSON logs: one line an event, a constant event name, then fields; ids rather than objects.

A line never holds a body, an address, a token or a URL with a secret: callers pass ids, and `_FORBIDDEN` stops the
obvious mistakes. Request, trace and task ids are bound once per request or task and appear on every line.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any

from models.kernel.errors import ConfigurationError
from models.kernel.telemetry import foreign_logs
from models.kernel.telemetry.foreign_logs import LogFields

_bound: ContextVar[LogFields | None] = ContextVar("log_fields", default=None)
_FORBIDDEN = frozenset({"password", "token", "secret", "body", "authorization", "address", "email", "text", "raw"})


class Log:
    """A named source of log lines."""

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"nestor.{name}")

    def debug(self, event: str, **fields: Any) -> None:
        self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._emit(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._emit(logging.WARNING, event, fields)

    def error(self, event: str, *, exc_info: bool | BaseException = False, **fields: Any) -> None:
        self._emit(logging.ERROR, event, fields, exc_info=exc_info)

    def _emit(self, level: int, event: str, fields: LogFields, *, exc_info: bool | BaseException = False) -> None:
        if not self._logger.isEnabledFor(level):
            return
        wrong = _FORBIDDEN & fields.keys()
        assert not wrong, f"log event {event}: fields {sorted(wrong)} must never be logged"
        self._logger.log(level, event, exc_info=exc_info or None, extra={"nestor": fields})


def get(name: str) -> Log:
    return Log(name)


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Every line logged inside carries these fields."""
    token = _bound.set({**(_bound.get() or {}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def bind(**fields: Any) -> None:
    """Add fields to every further line inside the innermost `bound`, for what is known only later. Outside of `bound`
    nothing happens.
    """
    current = _bound.get()
    if current is not None:
        current.update(fields)


_TRAIL_LINES_MAX = 60  # innermost frames tell; a recursion has a thousand


def trail(error: BaseException) -> list[str]:
    """Return an error and its causes as types, error codes and lines of code, without their messages.

    A message quotes what was sent: PostgreSQL the row, an HTTP client the URL with the bot's token, int() the text.
    Only the message of ConfigurationError is logged: it names variables and never contains values.
    """
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < _TRAIL_LINES_MAX:
        told.append(_named(cause) + (f": {cause.message}" if isinstance(cause, ConfigurationError) else ""))
        frames = traceback.extract_tb(cause.__traceback__)[-(_TRAIL_LINES_MAX - len(told)) :]
        told.extend(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return told


def named(error: BaseException) -> str:
    """Return an error and what it was made of on one line, for a column that people read: types and codes, no messages
    (see `trail`).
    """
    made_of = getattr(error, "orig", None) or error.__cause__  # `orig` is Peewee's
    return _named(error) + (f": {_named(made_of)}" if isinstance(made_of, BaseException) else "")


def _named(error: BaseException) -> str:
    codes = [getattr(error, name, None) for name in ("code", "pgcode", "sqlite_errorname", "errno", "status_code")]
    return " ".join([type(error).__qualname__, *(str(code) for code in codes if isinstance(code, int | str))])


class _JsonFormatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._static = {"service": service}
        for variable, name in (("K_SERVICE", "k_service"), ("K_REVISION", "k_revision")):
            if os.environ.get(variable):
                self._static[name] = os.environ[variable]

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.startswith("nestor")
        level, event, fields = (
            (record.levelno, record.getMessage(), getattr(record, "nestor", {}))
            if ours
            else foreign_logs.translated(record)
        )
        line: LogFields = {
            "at": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": logging.getLevelName(level).lower(),
            "event": event,
            **self._static,
            **(_bound.get() or {}),
            **fields,
        }
        if not ours:
            line["logger"] = record.name
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and (ours or foreign_logs.tells_trail(record)):
            line["exception"] = trail(error)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(service: str, level: str = "INFO", *, stream: IO[str] | None = None) -> None:
    """Send this process's log lines to standard error (or `stream`) as JSON: ours, other libraries', warnings, uncaught
    exceptions.

    Safe to call again. Hooks that other code (a test) has set stay.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("pika", "httpx", "httpcore", "apscheduler", "peewee", "mail.log", "dramatiq"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("imapclient").setLevel(logging.CRITICAL)  # repeats what a server says, users and folders
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _on_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _on_thread_died
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _on_unraisable
    if warnings.showwarning.__module__ == "warnings":
        logging.captureWarnings(True)


_process = Log("process")


def tell_end(role: str, pid: int, code: int) -> None:
    """Log a process of the desk that ended unexpectedly; `code` as `subprocess` gives it: negative for a signal."""
    _, event, fields = foreign_logs.ended(pid, code, role=role)
    _process.error(event, **fields)


def _on_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    _process.error("process_failed", exc_info=error)


def _on_thread_died(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is None or isinstance(told.exc_value, SystemExit):
        return
    _process.error("thread_died", exc_info=told.exc_value, thread="" if told.thread is None else told.thread.name)


def _on_unraisable(told: sys.UnraisableHookArgs) -> None:
    """Log an exception in a finaliser or a C callback, which no code can catch."""
    _process.error("exception_ignored", exc_info=told.exc_value or False)
