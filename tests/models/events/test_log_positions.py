"""The position at which a reader of the log begins, and the knowledge of a process about settled numbers."""

from __future__ import annotations

import pytest

from models.events.following import reading
from models.kernel.ids import new_id
from models.kernel.storage import database
from tests.desk import Desk
from tests.models.events.log_writers import begin_now, only_postgres, read_log, slow_writer, users_of, write


@only_postgres
def test_a_reader_that_begins_now_gets_an_event_whose_transaction_is_older_than_a_minute(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_now()
    late, other, new = new_id(), new_id(), new_id()
    five_minutes_ago = reading._OLDEST_WRITER.replace("min(xact_start)", "min(xact_start) - interval '5 minutes'")
    monkeypatch.setattr(reading, "_OLDEST_WRITER", five_minutes_ago)

    with slow_writer(late):
        with database.transaction():
            write(other)
            two_minutes_ago = "UPDATE events SET occurred_at = NOW_PLUS(-120) WHERE aggregate_id = :id"
            database.execute(two_minutes_ago, id=other)
        begin = begin_now()
    with database.transaction():
        write(new)

    users = users_of(read_log(begin).events)
    assert users[-3:] == [late, other, new]


@only_postgres
def test_a_reader_that_begins_now_does_not_get_the_whole_log(desk: Desk) -> None:
    reading.forget()
    old = new_id()
    with database.transaction():
        write(old)
        database.execute("UPDATE events SET occurred_at = NOW_PLUS(-120)")

    with slow_writer(new_id()):
        begin = begin_now()

    assert old not in users_of(read_log(begin).events)


@only_postgres
def test_a_thread_with_an_older_number_does_not_make_the_others_forget_the_settled_ones(desk: Desk) -> None:
    with database.transaction():
        write(new_id(), events=2)
    begin = begin_now()

    with slow_writer(new_id()), database.connection():
        assert reading._horizon.settled(begin.number - 1, wait_s=0.0) == begin.number - 1
        assert reading._horizon.settled(begin.number, wait_s=0.0) == begin.number


@only_postgres
def test_the_settled_numbers_of_a_database_that_was_restored_are_forgotten(desk: Desk) -> None:
    with database.transaction():
        write(new_id(), events=5)
    begin = begin_now()
    with database.transaction():
        database.execute("SELECT setval('log_position', :number)", number=begin.number - 3)

    with slow_writer(new_id()), database.connection():
        assert reading._horizon.settled(begin.number - 2, wait_s=0.0) < begin.number - 2
