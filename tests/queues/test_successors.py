"""A task that ends hands its thread the next one, without the broker: in order, within bounds, and nothing is lost."""

from __future__ import annotations

import pytest

from models.kernel import limits
from models.kernel.storage import database
from models.tasks import commands, wakeups
from models.tasks.commands import ClaimedTask
from queues import runner, sweep
from queues.settlement import Done, Settlement
from tests.desk import Desk
from tests.queues.work import TestWork, Work


def _enqueue_one_more(work: Work, *, key: str | None = None) -> None:
    """Let each task enqueue another one in the transaction of its end."""

    def do(task: ClaimedTask) -> Settlement:
        def record() -> None:
            work.effect(task)
            commands.enqueue(TestWork(n=1), key=key)

        return Done(record)

    work.do = do


def test_the_tasks_of_a_key_run_one_after_another_behind_one_wakeup(work: Work, desk: Desk) -> None:
    ids = [work.enqueue(key="ticket:1") for _ in range(3)]
    desk.wakeups.clear()

    runner.run_with_successors(ids[0])

    assert work.effects() == ids
    assert desk.wakeups == []


def test_a_task_that_another_one_enqueued_at_its_end_runs_in_the_same_thread(work: Work, desk: Desk) -> None:
    first = work.enqueue()
    desk.wakeups.clear()

    def do(task: ClaimedTask) -> Settlement:
        def record() -> None:
            work.effect(task)
            if task.id == first:
                commands.enqueue(TestWork(n=1))
                commands.enqueue(TestWork(n=1))

        return Done(record)

    work.do = do
    runner.run_with_successors(first)

    assert work.effects() == [first, first + 1]
    assert [wakeup.task_id for wakeup in desk.wakeups] == [first + 2]


def test_after_the_bound_the_next_task_gets_a_wakeup(work: Work, desk: Desk) -> None:
    first = work.enqueue()
    desk.wakeups.clear()
    _enqueue_one_more(work)

    runner.run_with_successors(first)

    assert len(work.effects()) == 1 + limits.successors_max
    assert [wakeup.task_id for wakeup in desk.wakeups] == [first + 1 + limits.successors_max]


def test_after_the_time_the_next_task_gets_a_wakeup(work: Work, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = work.enqueue()
    desk.wakeups.clear()
    _enqueue_one_more(work)
    monkeypatch.setattr(limits, "successors_s", -1)

    runner.run_with_successors(first)

    assert work.effects() == [first]
    assert [wakeup.task_id for wakeup in desk.wakeups] == [first + 1]


def test_a_wakeup_from_within_a_run_is_published_at_once(work: Work, desk: Desk) -> None:
    first = work.enqueue()
    desk.wakeups.clear()
    seen: list[int] = []

    def do(task: ClaimedTask) -> Settlement:
        if task.id == first:
            with database.transaction():
                commands.enqueue(TestWork(n=1))
            seen.extend(wakeup.task_id for wakeup in desk.wakeups)
        return Done(lambda: work.effect(task))

    work.do = do
    runner.run_with_successors(first)

    assert seen == [first + 1]
    assert work.effects() == [first]


def test_row_worker_killed_between_a_task_and_its_successor_the_sweep_wakes_another_worker(
    work: Work, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = work.enqueue()
    desk.wakeups.clear()
    _enqueue_one_more(work)

    with monkeypatch.context() as killed:
        killed.setattr(wakeups, "_publish", lambda wakeup: None)  # a killed process publishes nothing
        killed.setattr(limits, "successors_max", 0)
        runner.run_with_successors(first)

    successor = first + 1
    assert work.state(successor) == "ready"
    desk.advance(seconds=limits.task_wakeup_grace_s + 1)
    sweep.once()
    assert [wakeup.task_id for wakeup in desk.wakeups] == [successor]
    work.do = None
    assert work.run(successor) == "done"
