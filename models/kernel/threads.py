"""Background threads that a request or a task starts at the first use."""

from __future__ import annotations

import threading
from collections.abc import Callable

from models.kernel.telemetry import logs

log = logs.get("threads")


def started(work: Callable[[], None], *, name: str) -> threading.Thread | None:
    """Start a daemon thread and return it; None if the system allows no further thread now.

    The caller tries again at its next use: the limit of processes or of memory may be reached for a moment only.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        log.error("thread_not_started", thread_name=name, exc_info=error)
        return None
    return thread
