"""GCRA: no window ever sees more than it may, all buckets or none, a pause is a pause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.kernel import clock, database
from models.tasks import rates
from models.tasks.rates import Bucket
from tests.desk import Desk

SQLITE_ONLY = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def _take(*buckets: Bucket) -> float:
    with database.transaction():
        return rates.take(buckets)


@SQLITE_ONLY
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    every_s=st.sampled_from([0.04, 1.0, 3.0]),
    burst=st.integers(1, 5),
    steps=st.lists(st.floats(0, 4), min_size=5, max_size=40),
)
def test_no_window_has_more_than_the_burst_and_what_has_come_free(
    desk: Desk, every_s: float, burst: int, steps: list[float]
) -> None:
    clock.set_shift(clock.shift() + timedelta(days=1))  # every example starts with a full bucket
    bucket = Bucket("window", every_s, burst)
    granted: list[float] = []
    for step in steps:
        clock.set_shift(clock.shift() + timedelta(seconds=step * every_s))
        at = clock.now().timestamp()
        if _take(bucket) == 0:
            granted.append(at)

    assert granted, "the first one is always free"
    for index, start in enumerate(granted):
        for count, end in enumerate(granted[index:], start=1):
            # Real time passes too: a hundredth of a second for the statement between reading the clock and taking.
            assert count <= burst + (end - start + 0.5) / every_s


def test_the_wait_that_is_told_is_the_wait_that_suffices(desk: Desk) -> None:
    bucket = Bucket("bot", 2.0, 1)
    assert _take(bucket) == 0

    wait_s = _take(bucket)
    desk.advance(seconds=wait_s + 0.01)

    assert 1.5 < wait_s <= 2.0
    assert _take(bucket) == 0


def test_a_pause_gives_the_burst_back_and_no_more(desk: Desk) -> None:
    bucket = Bucket("chat", 60.0, 3)
    desk.command(rates.take, [bucket])
    desk.advance(days=2)

    granted = [_take(bucket) == 0 for _ in range(5)]

    assert granted == [True, True, True, False, False]


def test_all_buckets_or_none(desk: Desk) -> None:
    bot, chat = Bucket("bot", 60.0, 1), Bucket("chat", 60.0, 1)
    assert _take(chat) == 0

    assert _take(bot, chat) > 0

    assert _take(bot) == 0, "the refused pair took no slot of the bot"


def test_what_was_used_after_the_slot_was_taken_is_waited_for_by_the_next(desk: Desk) -> None:
    chat, bot = Bucket("chat", 1.0, 3), Bucket("bot", 0.1, 5)

    _take(chat, bot)
    desk.command(rates.charge, [chat, bot], 4)  # five in all: two more than the burst

    assert 2.5 < _take(chat, bot) <= 3.0
    desk.advance(seconds=3)
    assert _take(chat, bot) == 0


def test_a_block_refuses_everybody_until_it_is_over(desk: Desk) -> None:
    bucket = Bucket("chat", 0.01, 5)
    desk.command(rates.block, "chat", for_s=30)

    assert 29 < _take(bucket) <= 30
    desk.advance(seconds=31)
    assert _take(bucket) == 0


def test_a_shorter_block_does_not_end_a_longer_one(desk: Desk) -> None:
    desk.command(rates.block, "chat", for_s=60)
    desk.command(rates.block, "chat", for_s=5)

    assert _take(Bucket("chat", 0.01)) > 50


def test_those_who_line_up_are_told_one_time_each(desk: Desk) -> None:
    bucket = Bucket("bot", 2.0, 1)
    assert _take(bucket) == 0

    with database.transaction():
        waits_s = [rates.take_or_line_up([bucket]) for _ in range(4)]

    assert [round(wait_s / 2.0) for wait_s in waits_s] == [1, 2, 3, 4]
    desk.advance(seconds=waits_s[-1] + 0.01)
    with database.transaction():
        assert rates.take_or_line_up([bucket]) == 0, "the line moved on with time"


def test_threads_together_are_granted_what_one_would_be(desk: Desk) -> None:
    buckets = [Bucket("bot", 3600.0, 10), Bucket("all", 3600.0, 1000)]

    def take_some() -> int:
        # Half of the threads name the buckets the other way round: the order of locks is by name.
        return sum(_take(*buckets) == 0 for _ in range(5))

    def take_reversed() -> int:
        return sum(_take(*reversed(buckets)) == 0 for _ in range(5))

    granted = desk.in_threads(take_some, take_reversed, take_some, take_reversed)

    assert sum(granted) == 10


def test_full_buckets_are_collected_and_blocked_ones_kept(desk: Desk) -> None:
    _take(Bucket("old", 1.0))
    desk.command(rates.block, "blocked", for_s=10 * 86_400)
    desk.advance(days=2)
    _take(Bucket("new", 1.0))

    assert desk.command(rates.collect, older_than_s=86_400, batch_max=100) == 1
    assert {row["bucket"] for row in desk.rows("SELECT bucket FROM rate_buckets")} == {"blocked", "new"}
