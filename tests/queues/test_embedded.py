"""The embedded desk's workers: what was committed runs by itself, also what an earlier process left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from models.kernel.storage import database
from models.kernel.telemetry import foreign_logs
from models.ports import outbound
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks import commands
from queues.embedded import EmbeddedWorkers, shares
from tests.desk import Desk
from tests.queues.work import Work
from tests.services.waiting import wait_until


@pytest.fixture
def database_engine() -> str:
    """The embedded desk has SQLite only."""
    return "sqlite"


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


def test_a_message_is_answered_without_anybody_pushing(desk: Desk, start: Callable[[], EmbeddedWorkers]) -> None:
    start()

    for chat in range(10):
        desk.receive_telegram("Help!", chat=100 + chat)

    wait_until(lambda: len(desk.sent) == 10, within_s=20, what="the acknowledgements")
    wait_until(lambda: not desk.tasks("ready", "leased"), within_s=5, what="the tasks' end")
    assert len(desk.tickets()) == 10


def test_a_start_logs_no_warning(start: Callable[[], EmbeddedWorkers], caplog: pytest.LogCaptureFixture) -> None:
    start()

    lines = [foreign_logs.translated(record) for record in caplog.records if record.name.startswith("dramatiq")]
    assert "worker_added" in [event for _, event, _ in lines]
    assert [event for level, event, _ in lines if level >= logging.WARNING] == []


def test_a_start_takes_up_what_an_earlier_process_left_leased_or_unwoken(
    work: Work, start: Callable[[], EmbeddedWorkers]
) -> None:
    leased, unwoken = work.enqueue(), work.enqueue()
    work.claim(leased, lease_s=3600)
    with database.transaction():
        database.execute("UPDATE tasks SET next_hint_at = due_at")

    start()

    wait_until(lambda: sorted(work.effects()) == [leased, unwoken], within_s=20, what="both effects")


def test_a_retry_comes_back_by_itself_at_its_time(work: Work, start: Callable[[], EmbeddedWorkers]) -> None:
    from queues.settlement import Done, Failed, Settlement

    def do(task: commands.ClaimedTask) -> Settlement:
        return Failed("not yet") if task.attempts < 3 else Done(lambda: work.effect(task))

    work.do = do
    start()
    task_id = work.enqueue()

    wait_until(lambda: work.state(task_id) == "done", within_s=20, what="the third attempt")
    assert work.desk.task(task_id)["attempts"] == 3


def test_tasks_of_one_key_run_in_order_with_several_worker_threads(
    work: Work, start: Callable[[], EmbeddedWorkers]
) -> None:
    start()

    ids = [work.enqueue(key=f"k{number % 2}") for number in range(40)]

    wait_until(lambda: len(work.effects()) == 40, within_s=30, what="all effects")
    assert [i for i in work.effects() if i in ids[::2]] == ids[::2]
    assert [i for i in work.effects() if i in ids[1::2]] == ids[1::2]


def test_a_provider_that_says_nothing_does_not_hold_up_what_comes_in(
    desk: Desk, start: Callable[[], EmbeddedWorkers]
) -> None:
    hung = threading.Event()

    def say_nothing(message: OutgoingMessage) -> SendOutcome:
        assert hung.wait(30), "the test should have let the provider answer"
        return outbound.accepted(f"{message.address}:1")

    desk.answers.extend([say_nothing] * 100)
    start()
    try:
        for chat in range(30):
            desk.receive_telegram("Help!", chat=100 + chat)
        wait_until(lambda: len(desk.tasks(kind="send_delivery")) == 30, within_s=20, what="thirty waiting sends")

        event_id = desk.receive_telegram("And me?", chat=7)

        wait_until(lambda: desk.inbox(event_id)["status"] == "processed", within_s=3, what="the event's ticket")
        assert len(desk.calls) < 30, "the sends should still hang"
    finally:
        hung.set()


def test_each_queue_has_its_part_of_the_threads() -> None:
    assert [shares(threads, 2) for threads in (8, 9, 2, 1)] == [[4, 4], [5, 4], [1, 1], [1, 1]]
