"""Commits of events wake the consumers of the log soon, and rarely."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import peewee
import pytest

from models.events.following import consumers
from models.kernel.errors import Unavailable
from queues.wakeups import log_notifier
from queues.wakeups.log_notifier import LogNotifier
from tests import threads


class Wakes:
    """Stands for `consumers.wake`: counts its calls, and answers how many consumers are behind."""

    def __init__(self) -> None:
        self.calls = 0
        self.answers: list[int | Exception] = []
        self._changed = threading.Condition()

    def __call__(self) -> int:
        with self._changed:
            self.calls += 1
            answer = self.answers.pop(0) if self.answers else 0
            self._changed.notify_all()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_for(self, calls: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.calls >= calls, 20), f"{self.calls} calls instead of {calls}"


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> Wakes:
    made = Wakes()
    monkeypatch.setattr(consumers, "wake", made)
    monkeypatch.setattr(log_notifier, "pause_s", 0.05)
    return made


@pytest.fixture
def notifier() -> Iterator[Callable[[], None]]:
    made = LogNotifier()
    yield made.note
    made.stop()


def test_many_commits_wake_the_consumers_once(wakes: Wakes, notifier: Callable[[], None]) -> None:
    for _ in range(1_000):
        notifier()
    wakes.wait_for(1)

    assert wakes.calls <= 2  # a busy machine may need more than one pause for a thousand calls


def test_a_commit_after_a_wake_wakes_again(wakes: Wakes, notifier: Callable[[], None]) -> None:
    notifier()
    wakes.wait_for(1)
    notifier()

    wakes.wait_for(2)


def test_the_notifier_looks_again_while_a_consumer_is_behind(wakes: Wakes, notifier: Callable[[], None]) -> None:
    wakes.answers = [1, 1]
    notifier()

    wakes.wait_for(3)


def test_a_database_that_is_away_is_asked_again(wakes: Wakes, notifier: Callable[[], None]) -> None:
    wakes.answers = [Unavailable()]
    notifier()

    wakes.wait_for(2)


def test_a_faulty_statement_does_not_end_the_thread(wakes: Wakes, notifier: Callable[[], None]) -> None:
    wakes.answers = [peewee.ProgrammingError("no such column")]
    notifier()

    wakes.wait_for(2)


def test_a_thread_that_the_system_refuses_is_started_by_the_next_commit(
    wakes: Wakes, notifier: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads.refuse_the_next(monkeypatch)

    notifier()
    assert wakes.calls == 0
    notifier()

    wakes.wait_for(1)


def test_a_stopped_notifier_starts_no_thread(wakes: Wakes) -> None:
    made = LogNotifier()
    made.stop()
    before = threading.active_count()
    made.note()

    assert threading.active_count() == before
    assert wakes.calls == 0
