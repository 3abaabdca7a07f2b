"""The actor that decides by which ways a notice leaves, and when. Running it twice changes nothing."""

from __future__ import annotations

from functools import partial

from models.notices import planning
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import PlanNotice
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: PlanNotice) -> Settlement:
    return Done(partial(planning.plan, payload.notice_id))


ACTOR = Actor(run)
