"""The larger act that changes of tickets belong to, such as a bulk change.

The acts that change tickets know nothing of it. A context variable carries it to each change, so that every event names
the larger act, its sends wait, and the values before and after are collected for an undo.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from models.kernel.storage import database


@dataclass(slots=True)
class Surroundings:
    """The larger act, and its traces so far.

    `causation_id`: the cause that the events name. `sends_wait_s`: the time for which each send waits before it leaves.
    `delivery_ids`: those sends. `calls_out`: the act calls other servers, which cannot be taken back. `rows`: the rows
    of each changed ticket before and after.
    """

    causation_id: str | None = None
    sends_wait_s: float = 0.0
    delivery_ids: list[UUID] = field(default_factory=list)
    calls_out: bool = False
    rows: dict[UUID, tuple[database.Row, database.Row]] = field(default_factory=dict)

    def changed(self, ticket_id: UUID, before: database.Row, after: database.Row) -> None:
        """Note one change of a ticket. Several changes count as one."""
        first = self.rows.get(ticket_id)
        self.rows[ticket_id] = (before if first is None else first[0], after)


_current: ContextVar[Surroundings | None] = ContextVar("surroundings", default=None)


def current() -> Surroundings | None:
    """Return the larger act that is going on, or None."""
    return _current.get()


@contextmanager
def within(surroundings: Surroundings) -> Iterator[Surroundings]:
    """Let every change inside belong to a larger act."""
    token = _current.set(surroundings)
    try:
        yield surroundings
    finally:
        _current.reset(token)
