"""GCRA: no window ever sees more than it may, all buckets or none, a pause is a pause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.kernel import clock, limits
from models.kernel.storage import database
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


def test_the_returned_wait_suffices(desk: Desk) -> None:
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


def test_each_waiting_caller_gets_its_own_slot(desk: Desk) -> None:
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


@pytest.mark.parametrize("ahead_s", [600.0, 7200.0, 86_400.0])
def test_a_clock_that_was_set_back_leaves_every_limit_as_it_was(desk: Desk, ahead_s: float) -> None:
    """The clock was ahead and is right now, or it was right and is behind now: to the bucket that is the same."""
    chat, bot = Bucket("chat", 2.0, 2), Bucket("bot", 1.0, 1)
    desk.advance(seconds=ahead_s)
    waits_there_s = [_take(chat, bot) for _ in range(3)]
    desk.command(rates.charge, [chat, bot], 3)
    with database.transaction():
        line_there_s = [rates.take_or_line_up([chat]) for _ in range(3)]

    desk.advance(seconds=-ahead_s)
    wait_s = _take(chat, bot)
    with database.transaction():
        line_s = [rates.take_or_line_up([chat]) for _ in range(2)]
    desk.advance(seconds=wait_s + 0.01)

    assert waits_there_s[0] == 0
    assert 5 < wait_s <= max(line_there_s) + 2 * chat.every_s
    assert [round(later - wait_s) for later in line_s] == [0, 2], "the line starts anew behind what is owed"
    assert _take(chat, bot) == 0


def test_a_block_by_a_clock_that_was_ahead_ends_when_it_was_meant_to(desk: Desk) -> None:
    bucket = Bucket("chat", 0.01, 5)
    desk.advance(seconds=600)
    desk.command(rates.block, "chat", for_s=30)
    desk.advance(seconds=-600)

    assert 29 < _take(bucket) <= 31
    desk.command(rates.block, "chat", for_s=5)
    assert 29 < _take(bucket) <= 31, "a shorter block ends no longer one"
    desk.advance(seconds=31)
    assert _take(bucket) == 0


def test_a_block_replaces_one_by_a_clock_that_was_ahead(desk: Desk) -> None:
    desk.advance(seconds=600)
    _take(Bucket("chat", 2.0))
    desk.command(rates.block, "chat", for_s=300)
    desk.advance(seconds=-600)

    desk.command(rates.block, "chat", for_s=5)

    assert 4 < _take(Bucket("chat", 2.0)) <= 5


@pytest.mark.parametrize("column", ["tat_s", "blocked_until_s"])
def test_a_bucket_asks_for_no_more_than_its_limit_can_owe(desk: Desk, column: str) -> None:
    """Rows of the release before do not say when they were changed."""
    bucket = Bucket("chat", 0.5, 3)
    values = {"tat_s": 0.0, "blocked_until_s": 0.0, column: clock.now().timestamp() + 86_400}
    desk.command(
        database.execute,
        "INSERT INTO rate_buckets (bucket, tat_s, blocked_until_s) VALUES ('chat', :tat_s, :blocked_until_s)",
        values,
    )

    wait_s = _take(bucket)

    owed_s = bucket.every_s * (1 + limits.charged_slots_max)
    assert wait_s == pytest.approx(owed_s if column == "tat_s" else limits.provider_wait_s_max, abs=1)
    desk.advance(seconds=wait_s + 0.01)
    assert _take(bucket) == 0


def test_a_bucket_that_is_healed_gives_what_is_free_at_once(desk: Desk) -> None:
    """All or none also then: the other bucket's slot is taken once."""
    desk.advance(seconds=600)
    _take(Bucket("chat", 2.0, 2))
    desk.advance(seconds=-600)

    both_s = [_take(Bucket("all", 3600.0, 2), Bucket("chat", 2.0, 2)) for _ in range(2)]
    alone_s = [_take(Bucket("all", 3600.0, 2)) for _ in range(2)]

    assert (both_s[0], 1 < both_s[1] <= 2) == (0, True), "one slot of the chat was used there"
    assert (alone_s[0], alone_s[1] > 3000) == (0, True), "the pair that got both took one slot of the other bucket"


def test_an_impossibly_long_line_starts_again(desk: Desk) -> None:
    bucket = Bucket("bot", 2.0, 1)
    assert _take(bucket) == 0
    desk.command(
        database.execute,
        "INSERT INTO rate_buckets (bucket, tat_s) VALUES ('bot (line)', :tat_s)",
        tat_s=clock.now().timestamp() + limits.line_s_max + 60,
    )

    with database.transaction():
        assert 0 < rates.take_or_line_up([bucket]) <= 2.0


def test_who_waited_for_the_row_takes_its_change_for_no_wrong_clock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was read before the wait, and the holder of the row changed the bucket during it."""
    bucket = Bucket("bot", 60.0, 1)
    assert _take(bucket) == 0
    before = desk.rows("SELECT tat_s FROM rate_buckets WHERE bucket = 'bot'")
    real = clock.now
    readings = iter([real() - timedelta(seconds=3)])
    monkeypatch.setattr(clock, "now", lambda: next(readings, None) or real())

    assert _take(bucket) > 0

    assert desk.rows("SELECT tat_s FROM rate_buckets WHERE bucket = 'bot'") == before
