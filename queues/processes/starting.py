"""The start of a process while its database restarts or fails over: each step that needs the database is repeated for a
while.

A connection can drop between any two statements of a start, so the whole step is repeated, not only the first
connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from models import migrations
from models.kernel import imports, limits
from models.kernel.errors import Unavailable
from models.kernel.telemetry import logs

log = logs.get("starting")
T = TypeVar("T")


def through_outage(step: Callable[[], T]) -> T:
    """Repeat a step until the database answers. Raises Unavailable after `limits.database_start_wait_s`."""
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
    """Check schema and definitions; waits for a database that is away. Raises SchemaMismatch, and ConfigurationError
    for definitions that this release cannot read.
    """
    imports.load("models.publishing.publishing")
    from models.publishing import publishing  # memory: a scheduler reads no definitions

    through_outage(migrations.check)
    through_outage(publishing.check_readable)
