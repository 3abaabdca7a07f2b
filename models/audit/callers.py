"""The caller of the current request or command, for audit entries.

A context variable carries it, because an action is recorded far below the place that knows the network address.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from models.kernel import limits


@dataclass(slots=True)
class Caller:
    """The source of a request: network address, User-Agent header, the identity once it is authenticated, and the token
    of a known device that the request presents.
    """

    address: str | None = None
    user_agent: str | None = None
    kind: str = "system"
    id: str | None = None
    device: str | None = None


_current: ContextVar[Caller | None] = ContextVar("audit_caller", default=None)


@contextmanager
def calling(
    address: str | None = None, user_agent: str | None = None, *, kind: str = "system", device: str | None = None
) -> Iterator[Caller]:
    """Make the caller of everything that runs inside; texts of the caller are cut to their limits."""
    caller = Caller(
        None if address is None else address[: limits.client_chars_max],
        None if user_agent is None else user_agent[: limits.audit_user_agent_chars_max],
        kind,
        device=device,
    )
    token = _current.set(caller)
    try:
        yield caller
    finally:
        _current.reset(token)


def current() -> Caller:
    """Return the current caller; the system itself outside a request or command."""
    return _current.get() or Caller()


def identify(kind: str, caller_id: str) -> None:
    """Set the authenticated identity of the current caller. Without a caller nothing happens."""
    caller = _current.get()
    if caller is not None:
        caller.kind, caller.id = kind, caller_id
