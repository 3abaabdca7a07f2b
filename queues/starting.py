"""Start a process while its database restarts or fails over: every step that needs it is repeated for a while.

A connection can drop between any two statements of a start, so the whole step is repeated, not only the first connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from models import migrations
from models.kernel import limits, logs
from models.kernel.errors import Unavailable
from models.publishing import publishing

log = logs.get("starting")
T = TypeVar("T")


def through_outage(step: Callable[[], T]) -> T:
    """Run a step that may be repeated, through a database that is away. Raises Unavailable after limits.database_start_wait_s."""
    deadline = time.monotonic() + limits.database_start_wait_s
    while True:
        try:
            return step()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            log.warning("waiting_for_database")
            time.sleep(limits.database_start_look_s)


def check_database() -> None:
    """Raise SchemaMismatch, or ConfigurationError for definitions that this program cannot read; waits for a database that is away."""
    through_outage(migrations.check)
    through_outage(publishing.check_readable)
