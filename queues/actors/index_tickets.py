"""The actor that writes the documents of marked tickets: after a change of a requester, a rebuild or an upgrade."""

from __future__ import annotations

from models.kernel.storage import database
from models.search.index import writing
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import IndexTickets
from queues.actor import Actor
from queues.job_steps import run_steps
from queues.settlement import Settlement


def run(task: ClaimedTask, payload: IndexTickets) -> Settlement:
    """Each step is a transaction of its own that takes marks away and writes their documents."""
    return run_steps(_step)


def _step() -> bool:
    with database.transaction():
        return writing.index_pending(writing.documents_at_once) > 0


ACTOR = Actor(run)
