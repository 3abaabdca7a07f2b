"""The port through which a commit of events wakes the consumers of the log.

A process with workers or a broker installs a function here (queues/wakeups/log_notifier.py). Without one (a script, a
test) nothing is lost: the sweep of another process finds consumers that are behind.
"""

from __future__ import annotations

from collections.abc import Callable

from models.kernel.storage import database
from models.kernel.storage.batch import Batch

_notify: Callable[[], None] | None = None


def set_notifier(notify: Callable[[], None] | None) -> None:
    """Install the function that is called after each commit of events (None: none). It neither blocks nor raises."""
    global _notify
    _notify = notify


def after_commit(batch: Batch) -> None:
    """Call the notifier after the commit of the batch's events; a hook of `Batch.before_write`."""
    if _notify is not None:
        database.on_commit(_notify)
