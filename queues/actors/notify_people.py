"""The actor that notifies the users whom an event of a ticket concerns. Running it twice changes nothing."""

from __future__ import annotations

from functools import partial

from models.notices import recipients
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import NotifyPeople
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: NotifyPeople) -> Settlement:
    return Done(partial(recipients.report, payload.ticket_id, payload.event_id))


ACTOR = Actor(run)
