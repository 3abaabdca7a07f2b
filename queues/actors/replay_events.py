"""The actor that replays recorded events through a draft, some tickets at a time."""

from __future__ import annotations

from models.tasks.commands import ClaimedTask
from models.tasks.payloads import ReplayEvents
from models.ticket_workflow import jobs
from queues.actor import Actor
from queues.job_steps import run_steps
from queues.settlement import Settlement


def run(task: ClaimedTask, payload: ReplayEvents) -> Settlement:
    """Each step records its sums and its cursor."""
    return run_steps(lambda: jobs.step_replay(payload.replay_id))


def on_dead(task: ClaimedTask, payload: ReplayEvents, reason: str) -> None:
    """Show the reason at the job."""
    jobs.fail_replay(payload.replay_id, reason)


ACTOR = Actor(run, on_dead)
