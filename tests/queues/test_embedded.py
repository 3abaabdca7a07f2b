"""The embedded desk's workers: what was committed runs by itself, also what an earlier process left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from models.kernel import database
from models.tasks import commands
from queues.embedded import EmbeddedWorkers
from tests.desk import Desk
from tests.queues.work import Work
from tests.services.waiting import wait_until

BY_SQLITE = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
pytestmark = BY_SQLITE


@pytest.fixture
def start(desk: Desk) -> Iterator[Callable[[], EmbeddedWorkers]]:
    started: list[EmbeddedWorkers] = []

    def make() -> EmbeddedWorkers:
        workers = EmbeddedWorkers(desk.settings)
        workers.start()
        started.append(workers)
        return workers

    yield make
    for workers in started:
        workers.stop(timeout_s=5)


def test_a_message_is_answered_without_anybody_pushing(
    desk: Desk, start: Callable[[], EmbeddedWorkers]
) -> None:
    start()

    for chat in range(10):
        desk.receive_telegram("Help!", chat=100 + chat)

    wait_until(lambda: len(desk.sent) == 10, within_s=20, what="the acknowledgements")
    wait_until(lambda: not desk.tasks("ready", "leased"), within_s=5, what="the tasks' end")
    assert len(desk.tickets()) == 10


def test_a_start_takes_up_what_an_earlier_process_left_leased_or_unhinted(
    work: Work, start: Callable[[], EmbeddedWorkers]
) -> None:
    leased, unhinted = work.enqueue(), work.enqueue()
    work.claim(leased, lease_s=3600)
    with database.transaction():
        database.execute("UPDATE tasks SET next_hint_at = due_at")

    start()

    wait_until(lambda: sorted(work.effects()) == [leased, unhinted], within_s=20, what="both effects")


def test_a_retry_comes_back_by_itself_at_its_time(work: Work, start: Callable[[], EmbeddedWorkers]) -> None:
    from queues.settlement import Done, Failed, Settlement

    def do(task: commands.ClaimedTask) -> Settlement:
        return Failed("not yet") if task.attempts < 3 else Done(lambda: work.effect(task))

    work.do = do
    start()
    task_id = work.enqueue()

    wait_until(lambda: work.state(task_id) == "done", within_s=20, what="the third attempt")
    assert work.desk.task(task_id)["attempts"] == 3


def test_tasks_of_one_key_run_in_order_with_eight_worker_threads(
    work: Work, start: Callable[[], EmbeddedWorkers]
) -> None:
    start()

    ids = [work.enqueue(key=f"k{number % 2}") for number in range(40)]

    wait_until(lambda: len(work.effects()) == 40, within_s=30, what="all effects")
    assert [i for i in work.effects() if i in ids[::2]] == ids[::2]
    assert [i for i in work.effects() if i in ids[1::2]] == ids[1::2]
