"""A part of a transaction that can fail alone (SAVEPOINT)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.kernel.storage import database


class RollBack(Exception):
    """Rolls back to the savepoint; `savepoint` does not pass it on."""


@contextmanager
def savepoint() -> Iterator[None]:
    """Run a part of the open transaction. An exception rolls the part back, with its callbacks of `on_commit`."""
    assert database.in_transaction(), "a savepoint is a part of a transaction"
    callbacks = database._commits.callbacks
    before = len(callbacks)
    try:
        with database.proxy.obj.savepoint():
            yield
    except RollBack:
        del callbacks[before:]
    except BaseException:
        del callbacks[before:]
        raise
