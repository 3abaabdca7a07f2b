"""The actor that hands the due notices of a user over to one way. Running it twice changes nothing."""

from __future__ import annotations

from functools import partial

from models.notice_settings.rules import Way
from models.notices import planning
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import HandOverNotices
from queues.actor import Actor
from queues.settlement import Done, Failed, Settlement


def run(task: ClaimedTask, payload: HandOverNotices) -> Settlement:
    if payload.way not in set(Way):
        return Failed(f"this release does not know the way {payload.way!r}")
    return Done(partial(planning.hand_over, payload.user_id, Way(payload.way)))


ACTOR = Actor(run)
