"""The actor that frees or hands over the open tickets of a user, a batch at a time. A repetition changes nothing."""

from __future__ import annotations

from functools import partial

from models.kernel.storage import database
from models.offboarding import open_tickets
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import ReassignTickets
from queues.actor import Actor
from queues.settlement import Done, Postponed, Settlement


def run(task: ClaimedTask, payload: ReassignTickets) -> Settlement:
    """Reassign one batch. The task itself goes on, so that a later task of the user does not overtake it."""
    with database.connection():
        more = open_tickets.is_left(payload)
    record = partial(open_tickets.reassign, payload)
    return Postponed(0.0, "more tickets are left", record) if more else Done(record)


ACTOR = Actor(run)
