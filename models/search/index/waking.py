"""Wakes the task that writes the documents of marked tickets.

Each sweep of each process does this, so the module imports nothing that reads or writes documents.
"""

from __future__ import annotations

from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tasks.payloads import IndexTickets
from models.tasks.tables import Task

_TASK = "search_index"


def wake() -> None:
    """Enqueue the task that writes the documents of marked tickets, unless none is marked or one lives.

    A transaction of its own.
    """
    with database.connection():
        if not database.run("SELECT 1 AS one FROM search_pending LIMIT 1"):
            return
        if Task.select().where(Task.key == _TASK, Task.state.in_(("ready", "leased"))).exists():
            return
    with database.transaction():
        tasks.enqueue(IndexTickets(), key=_TASK)
