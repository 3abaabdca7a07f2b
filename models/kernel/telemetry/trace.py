"""W3C Trace Context (https://www.w3.org/TR/trace-context/): followed on requests, carried through tasks to the send.

Only the ids are kept; they tie log lines, task rows and events together. An exporter can be added where
OTEL_EXPORTER_OTLP_ENDPOINT asks for one without touching the callers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_HEADER = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_request: ContextVar[str | None] = ContextVar("request_id", default=None)


def child_of(header: str | None) -> str:
    """Return a traceparent for work done on behalf of `header`; a new trace when it is missing or malformed."""
    match = _HEADER.match((header or "").strip())
    if match is None or match[1] == "0" * 32 or match[2] == "0" * 16:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return f"00-{match[1]}-{secrets.token_hex(8)}-{match[3]}"


def trace_id(header: str) -> str:
    return header.split("-")[1]


@contextmanager
def following(header: str | None, request_id: str | None = None) -> Iterator[str]:
    """Work inside belongs to the trace of `header`, and to the request if there is one."""
    mine = child_of(header)
    token, request_token = _current.set(mine), _request.set(request_id)
    try:
        yield mine
    finally:
        _current.reset(token)
        _request.reset(request_token)


def current_header() -> str | None:
    return _current.get()


def current_request_id() -> str | None:
    return _request.get()
