"""An event that ends each worker of a consumer is parked; the consumer goes on behind it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from models.events.following import consumers, parking
from models.events.following.consumers import Consumer
from models.events.row_types import LogEvent
from models.kernel import limits
from models.kernel.ids import new_id
from models.kernel.storage import database
from queues import log_consumers, runner
from scripts import log_consumers as command
from scripts.diag import event_log
from scripts.diag.part import Part
from tests.desk import Desk
from tests.models.events.log_writers import users_of, write

_runs_max = 30


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it, and nothing is recorded any more."""


class Follower:
    """A consumer that ends its worker, or fails, at the events of some users."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.applied: list[UUID] = []
        self.kills: set[UUID] = set()
        self.fails: set[UUID] = set()
        self.deaths = 0
        self.consumer = Consumer("tests", self.apply, from_end=True, batch_max=20)
        monkeypatch.setattr(log_consumers, "CONSUMERS", (self.consumer,))
        self._end = parking._end
        monkeypatch.setattr(parking, "_end", self._end_unless_killed)
        with database.transaction():
            database.execute("DELETE FROM log_positions")
            consumers.ensure([self.consumer])

    def apply(self, events: Sequence[LogEvent]) -> None:
        users = users_of(events)
        if self.kills & set(users):
            self.deaths += 1
            raise Killed
        if self.fails & set(users):
            raise RuntimeError("a fault of the consumer")
        database.on_commit(lambda: self.applied.extend(users))

    def _end_unless_killed(self, name: str) -> None:
        if not self.kills:
            self._end(name)

    def run(self, desk: Desk, *, until: Callable[[], bool]) -> None:
        """Run the task as workers do, each after the end of the last one's lease or backoff."""
        for _ in range(_runs_max):
            consumers.wake()
            for task_id in desk.due_tasks():
                try:
                    runner.run_task(task_id)
                except Killed:
                    database.proxy.obj.close()
            if until():
                return
            desk.advance(seconds=max(limits.task_lease_s, 60.0) + 1)
        pytest.fail(f"still not done after {_runs_max} runs: {desk.tasks('ready', 'leased')}")

    def is_at_end(self) -> bool:
        [lag] = consumers.lags()
        return lag["behind"] == 0


@pytest.fixture
def follower(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Follower:
    return Follower(monkeypatch)


def written(number: int) -> list[UUID]:
    users = [new_id() for _ in range(number)]
    for user in users:
        with database.transaction():
            write(user)
    return users


def parked() -> list[UUID]:
    with database.connection():
        ids = parking.events_of("tests")
        return [
            UUID(str(database.run("SELECT aggregate_id FROM events WHERE event_id = :id", id=one)[0]["aggregate_id"]))
            for one in ids
        ]


def test_an_event_that_ends_its_workers_is_parked_and_the_others_are_applied_once(
    desk: Desk, follower: Follower
) -> None:
    users = written(10)
    follower.kills = {users[6]}

    follower.run(desk, until=follower.is_at_end)

    assert follower.applied == [*users[:6], *users[7:]]
    assert parked() == [users[6]]
    assert follower.deaths == parking.attempts_before_care + parking.tries_max
    follower.kills = set()
    later = written(3)
    follower.run(desk, until=follower.is_at_end)
    assert follower.applied[-3:] == later


def test_two_events_that_end_their_workers_are_both_parked(desk: Desk, follower: Follower) -> None:
    users = written(5)
    follower.kills = {users[1], users[2]}

    follower.run(desk, until=follower.is_at_end)

    assert follower.applied == [users[0], *users[3:]]
    assert parked() == users[1:3]


def test_an_event_that_fails_is_not_passed(desk: Desk, follower: Follower) -> None:
    users = written(5)
    follower.fails = {users[3]}
    runs = itertools.count(1)

    follower.run(desk, until=lambda: next(runs) == 12)

    assert follower.applied == users[:3]
    assert parked() == []
    follower.fails = set()
    follower.run(desk, until=follower.is_at_end)
    assert follower.applied == users


def test_workers_that_died_for_another_reason_park_nothing(desk: Desk, follower: Follower) -> None:
    users = written(4)
    follower.kills = {users[2]}
    runs = itertools.count(1)
    follower.run(desk, until=lambda: next(runs) == parking.attempts_before_care + 2)
    follower.kills = set()

    follower.run(desk, until=follower.is_at_end)

    assert follower.applied == users
    assert parked() == []


def stuck(desk: Desk, follower: Follower) -> UUID:
    """An event that is parked, and whose cause is mended."""
    [user] = written(1)
    follower.kills = {user}
    follower.run(desk, until=follower.is_at_end)
    follower.kills = set()
    return user


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["log_consumers", *arguments])
    monkeypatch.setattr("scripts._cli.connect", lambda *_, **__: None)
    return command.main()


def test_an_operator_repeats_a_parked_event(
    desk: Desk, follower: Follower, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    user = stuck(desk, follower)
    assert called(monkeypatch) == 0
    [event_id] = parking.events_of("tests")
    assert f"parked: {event_id}" in capsys.readouterr().out

    assert called(monkeypatch, "repeat", "tests") == 0

    assert follower.applied == [user]
    assert parked() == []
    assert "applied 1 parked event" in capsys.readouterr().out


def test_a_parked_event_that_fails_again_stays_parked(
    desk: Desk, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = stuck(desk, follower)
    follower.fails = {user}

    with pytest.raises(RuntimeError, match="a fault of the consumer"):
        called(monkeypatch, "repeat", "tests", str(parking.events_of("tests")[0]))

    assert parked() == [user]


def test_a_rebuild_applies_parked_events_again(desk: Desk, follower: Follower) -> None:
    user = stuck(desk, follower)

    consumers.restart(follower.consumer)
    while consumers.step(follower.consumer):
        pass

    assert user in follower.applied
    assert parked() == []


def test_diag_names_a_consumer_with_parked_events_and_the_command_that_repeats_them(
    desk: Desk, follower: Follower
) -> None:
    stuck(desk, follower)
    part = Part("event log")

    with database.connection():
        event_log.look(part)

    assert [one["parked"] for one in part.facts["consumers"]] == [1]
    assert "python -m scripts.log_consumers repeat tests" in str(part.problems)
