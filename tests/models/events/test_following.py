"""A reader of the log skips no event and reads none twice, whatever the order of commits."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from models.events.following import consumers, notices
from models.events.following.consumers import Consumer
from models.events.following.reading import START
from models.events.row_types import LogEvent
from models.kernel.ids import new_id
from models.kernel.storage import database
from queues import sweep
from tests.desk import Desk
from tests.models.events.log_writers import begin_now, only_postgres, read_log, slow_writer, users_of, write


def _write_and_roll_back() -> None:
    with database.transaction():
        write(new_id())
        raise RuntimeError("rolled back")


@only_postgres
def test_an_event_that_commits_late_is_neither_skipped_nor_read_twice(desk: Desk) -> None:
    begin, first, second, third = begin_now(), new_id(), new_id(), new_id()

    with slow_writer(first):
        with slow_writer(second):
            with database.transaction():
                write(third)
            held = read_log(begin, wait_s=0.05)
        still_held = read_log(held.position, wait_s=0.05)
    read = read_log(still_held.position)

    # The numbers are first, second, third; the commits third, second, first.
    assert users_of(held.events) == users_of(still_held.events) == []
    assert users_of(read.events) == [first, second, third]
    assert read_log(read.position).events == ()


@only_postgres
def test_the_number_of_a_rolled_back_writer_holds_nothing_back(desk: Desk) -> None:
    begin, second = begin_now(), new_id()
    with slow_writer(new_id(), rolls_back=True), database.transaction():
        write(second)

    assert users_of(read_log(begin).events) == [second]


@only_postgres
def test_a_number_settles_although_some_writer_is_always_at_work(desk: Desk) -> None:
    begin, first, second, third = begin_now(), new_id(), new_id(), new_id()

    with slow_writer(first):
        assert read_log(begin, wait_s=0.05).events == ()
        overlapping = slow_writer(third)
        with database.transaction():
            write(second)
        overlapping.__enter__()
    try:
        read = read_log(begin, wait_s=0.05)
    finally:
        overlapping.__exit__(None, None, None)

    assert users_of(read.events)[0] == first
    assert third not in users_of(read.events)
    rest = read_log(read.position)
    assert users_of(read.events) + users_of(rest.events) == [first, second, third]


@only_postgres
def test_a_transaction_that_writes_no_event_holds_nothing_back(desk: Desk) -> None:
    begin, user_id = begin_now(), new_id()
    locked, may_end = threading.Event(), threading.Event()

    def other_work() -> None:
        with database.transaction():
            database.execute("UPDATE users SET name = name")
            locked.set()
            assert may_end.wait(20)

    thread = threading.Thread(target=other_work)
    thread.start()
    assert locked.wait(20)
    try:
        with database.transaction():
            write(user_id)
        read = read_log(begin, wait_s=0.0)
    finally:
        may_end.set()
        thread.join(20)

    assert users_of(read.events) == [user_id]


def test_pages_of_the_log_follow_each_other_without_a_gap(desk: Desk) -> None:
    begin = begin_now()
    users = [new_id() for _ in range(5)]
    for user_id in users:
        with database.transaction():
            write(user_id, events=2)

    read: list[tuple[UUID, int]] = []
    position, more = begin, True
    while more:
        page = read_log(position, 3)
        assert len(page.events) <= 3
        read.extend((event["aggregate_id"], event["sequence"]) for event in page.events)
        position, more = page.position, page.more

    assert read == [(user_id, sequence) for user_id in users for sequence in (1, 2)]


def test_events_of_releases_without_numbers_come_first(desk: Desk) -> None:
    old, new = new_id(), new_id()
    with database.transaction():
        write(old)
        database.execute("UPDATE events SET log_position = NULL WHERE aggregate_id = :id", id=old)
        write(new)

    found = [read_log(START, 1)]
    while found[-1].more:
        found.append(read_log(found[-1].position, 1))
    users = [user for page in found for user in users_of(page.events)]

    assert users.index(old) < users.index(new)
    assert users.count(old) == 1
    assert users[0] == old


class _Numbers:
    """A consumer that stores nothing but remembers what it has applied in committed transactions."""

    def __init__(self) -> None:
        self.applied: list[UUID] = []
        self.failures = 0

    def apply(self, events: Sequence[LogEvent]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("killed before the commit")
        seen = users_of(events)
        database.on_commit(lambda: self.applied.extend(seen))

    def consumer(self, **how: Any) -> Consumer:
        made = Consumer("numbers of tests", self.apply, from_end=True, **how)
        with database.transaction():
            consumers.ensure([made])
        return made


def test_a_step_that_fails_is_done_again_and_one_that_commits_is_not(desk: Desk) -> None:
    numbers = _Numbers()
    consumer, user_id = numbers.consumer(), new_id()
    with database.transaction():
        write(user_id)
    numbers.failures = 1

    with pytest.raises(RuntimeError):
        consumers.step(consumer)
    while consumers.step(consumer):
        pass
    while consumers.step(consumer):
        pass

    assert numbers.applied == [user_id]


def test_steps_at_once_apply_each_event_once(desk: Desk) -> None:
    numbers = _Numbers()
    consumer = numbers.consumer(batch_max=2)
    users = [new_id() for _ in range(20)]
    for user_id in users:
        with database.transaction():
            write(user_id)

    def follow() -> None:
        while consumers.step(consumer):
            pass

    desk.in_threads(*[follow] * 4)
    follow()

    assert numbers.applied == users


def test_a_consumer_that_is_behind_gets_one_live_task(desk: Desk) -> None:
    consumer = _Numbers().consumer()
    assert consumers.wake() == 0
    with database.transaction():
        write(new_id())

    assert [consumers.wake(), consumers.wake()] == [1, 1]

    live = "SELECT count(*) AS live FROM tasks WHERE key = :key AND state = 'ready'"
    assert database.one(live, key=consumers.key_of(consumer.name)) == {"live": 1}
    while consumers.step(consumer):
        pass
    assert consumers.wake() == 0


def test_the_sweep_wakes_a_consumer_that_a_killed_process_left_behind(desk: Desk) -> None:
    consumer = _Numbers().consumer()
    with database.transaction():
        write(new_id())

    sweep.once()

    row = database.one("SELECT kind, payload FROM tasks WHERE key = :key", key=consumers.key_of(consumer.name))
    assert row is not None
    assert row["kind"] == "follow_log"


def test_a_restart_removes_what_was_built_and_reads_the_whole_log_again(desk: Desk) -> None:
    numbers, resets = _Numbers(), []
    consumer, user_id = numbers.consumer(reset=lambda: resets.append(1)), new_id()
    with database.transaction():
        write(user_id)
    while consumers.step(consumer):
        pass

    consumers.restart(consumer)
    while consumers.step(consumer):
        pass

    assert resets == [1]
    assert numbers.applied.count(user_id) == 2
    assert numbers.applied[0] == numbers.applied[-1] == user_id


def test_only_a_commit_of_events_calls_the_notifier(desk: Desk) -> None:
    calls: list[bool] = []
    notices.set_notifier(lambda: calls.append(database.in_transaction()))

    with database.transaction():
        database.execute("UPDATE users SET name = name")
    with pytest.raises(RuntimeError):
        _write_and_roll_back()
    assert calls == []
    with database.transaction():
        write(new_id())
        assert calls == []

    assert calls == [False]
