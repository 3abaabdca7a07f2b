"""Wakeups never hold up who gives them: a broker that is slow, blocked or away costs nothing but the wakeup."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from models.kernel import limits, settings
from models.kernel.settings import Settings
from models.tasks.wakeups import Wakeup
from queues import broker
from queues.sweep import OpportunisticSweep
from queues.wakeups.delayed_wakeups import Later
from queues.wakeups.publisher import LateBroker, WakeupPublisher
from tests import threads
from tests.services.waiting import wait_until


class FakeBroker:
    """Takes messages, or fails, or blocks, as told."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.tries = 0

    def enqueue(self, message: Any) -> None:
        self.tries += 1
        assert self.open.wait(10), "the test forgot to open the broker"
        if self.error is not None:
            raise self.error
        self.got.append((message.queue_name, message.actor_name, message.args, message.options))


def test_a_wakeup_carries_nothing_but_the_tasks_id() -> None:
    fake = FakeBroker()
    publisher = WakeupPublisher(fake)

    publisher.give(Wakeup(7, "sends"))
    wait_until(lambda: bool(fake.got), within_s=5, what="the wakeup")
    publisher.stop()

    assert fake.got == [("sends", broker.ACTOR_NAME, (7,), {})]


@pytest.mark.parametrize("wait_s", [0.0, 0.01])
def test_a_wakeup_is_published_with_the_next_one_when_the_system_refuses_the_thread(
    monkeypatch: pytest.MonkeyPatch, wait_s: float
) -> None:
    fake = FakeBroker()
    publisher = WakeupPublisher(fake)
    threads.refuse_the_next(monkeypatch)

    publisher.give(Wakeup(1, "default", wait_s))
    publisher.give(Wakeup(2, "default", wait_s))

    wait_until(lambda: len(fake.got) == 2, within_s=10, what="the wakeups")
    publisher.stop()


def test_a_sweep_that_the_system_refuses_a_thread_does_not_fail_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    swept = threading.Event()
    monkeypatch.setattr("queues.sweep.quietly", swept.set)
    sweep = OpportunisticSweep(every_s=0.0)
    threads.refuse_the_next(monkeypatch)

    sweep.maybe()
    assert not swept.is_set()
    sweep.maybe()

    assert swept.wait(10)


def test_a_blocked_broker_blocks_no_caller_and_gets_the_wakeups_in_order_when_it_opens() -> None:
    fake = FakeBroker()
    fake.open.clear()
    publisher = WakeupPublisher(fake)
    started = time.monotonic()

    for number in range(1_000):
        publisher.give(Wakeup(number, "default"))
    took_s = time.monotonic() - started
    fake.open.set()
    wait_until(lambda: len(fake.got) == 1_000, within_s=10, what="the wakeups")
    publisher.stop()

    assert took_s < 1
    assert [args for _, _, args, _ in fake.got] == [(number,) for number in range(1_000)]


def test_wakeups_beyond_the_bound_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "wakeup_queue_max", 5)
    fake = FakeBroker()
    fake.open.clear()
    publisher = WakeupPublisher(fake)

    for number in range(50):
        publisher.give(Wakeup(number, "default"))
    fake.open.set()
    publisher.stop()

    assert 5 <= len(fake.got) <= 6


def test_a_broker_that_is_away_is_tried_once_and_then_left_alone_for_a_while() -> None:
    fake = FakeBroker()
    fake.error = OSError("unreachable")
    publisher = WakeupPublisher(fake)

    for number in range(20):
        publisher.give(Wakeup(number, "default"))
    wait_until(lambda: not publisher.available, within_s=5, what="the breaker opening")
    tries = fake.tries
    for number in range(20):
        publisher.give(Wakeup(number, "default"))

    assert tries <= 20
    assert fake.tries - tries <= 1
    assert not publisher.accepts()
    fake.error = None
    wait_until(publisher.accepts, within_s=limits.broker_retry_s_max, what="the breaker letting one through")
    publisher.give(Wakeup(99, "default"))
    wait_until(lambda: publisher.available, within_s=5, what="the breaker closing")
    publisher.stop()
    assert fake.got[-1][2] == (99,)


def test_stopping_flushes_waiting_wakeups_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "wakeup_flush_s", 0.2)
    fake = FakeBroker()
    publisher = WakeupPublisher(fake)
    publisher.give(Wakeup(1, "default"))
    publisher.stop()
    blocked = FakeBroker()
    blocked.open.clear()
    stuck = WakeupPublisher(blocked)
    stuck.give(Wakeup(1, "default"))
    started = time.monotonic()

    stuck.stop()

    assert len(fake.got) == 1
    assert time.monotonic() - started < 2
    blocked.open.set()


def test_later_wakeups_come_at_their_time_in_its_order() -> None:
    given: list[int] = []
    later = Later(lambda wakeup: given.append(wakeup.task_id), waiting_max=10)

    for task_id, wait_s in ((3, 0.15), (1, 0.02), (2, 0.08)):
        later.add(Wakeup(task_id, "default", wait_s))
    at_once = list(given)
    wait_until(lambda: len(given) == 3, within_s=5, what="the wakeups")
    later.stop()

    assert at_once == []
    assert given == [1, 2, 3]


def test_later_is_bounded_and_silent_after_its_stop() -> None:
    given: list[int] = []
    later = Later(lambda wakeup: given.append(wakeup.task_id), waiting_max=2)
    for task_id in range(5):
        later.add(Wakeup(task_id, "default", 0.01))
    wait_until(lambda: len(given) == 2, within_s=5, what="the wakeups")
    later.stop()

    later.add(Wakeup(9, "default", 0.0))

    assert given == [0, 1]


def test_our_timeouts_are_in_the_brokers_address_unless_the_operator_said_otherwise() -> None:
    url = broker.amqp_url("amqp://u:p%40@host:5672/v%2Fhost?heartbeat=5")

    assert url.startswith("amqp://u:p%40@host:5672/v%2Fhost?")
    assert "heartbeat=5" in url
    assert "heartbeat=60" not in url
    assert "blocked_connection_timeout=2" in url


def test_requests_sweep_at_most_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    monkeypatch.setattr("queues.sweep.quietly", lambda: swept.append(1))
    sweep = OpportunisticSweep(every_s=0.05)
    sweep.maybe()
    before = list(swept)

    def try_again() -> bool:
        sweep.maybe()
        return bool(swept)

    wait_until(try_again, within_s=5, what="a sweep")
    many = OpportunisticSweep(every_s=3600)
    for _ in range(100):
        many.maybe()

    assert before == []
    assert len(swept) <= 2


def test_a_functions_broker_is_made_at_its_first_wakeup(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Settings] = []
    fake = FakeBroker()

    def create(config: Settings) -> FakeBroker:
        made.append(config)
        return fake

    monkeypatch.setattr(broker, "create", create)
    config = settings.load(
        {"DATABASE_URL": "sqlite:///:memory:", "BROKER_URL": "amqp://nobody:nothing@127.0.0.1:1/nothing"}
    )
    publisher = WakeupPublisher(LateBroker(config))
    before = len(made)

    for number in (7, 8):
        publisher.give(Wakeup(number, "sends"))
    wait_until(lambda: len(fake.got) == 2, within_s=5, what="the wakeups")
    publisher.stop()

    assert before == 0
    assert made == [config]
    assert [arguments for _, _, arguments, _ in fake.got] == [(7,), (8,)]


def test_a_broker_that_cannot_be_made_costs_its_wakeups_and_is_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import can fail for want of memory; the publisher's thread must not end."""
    monkeypatch.setattr(limits, "broker_retry_s_min", 0.01)
    fake = FakeBroker()
    answers: list[Any] = [ImportError("no memory"), fake]

    def create(_: Settings) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(broker, "create", create)
    config = settings.load(
        {"DATABASE_URL": "sqlite:///:memory:", "BROKER_URL": "amqp://nobody:nothing@127.0.0.1:1/nothing"}
    )
    publisher = WakeupPublisher(LateBroker(config))

    publisher.give(Wakeup(7, "sends"))
    wait_until(lambda: not publisher.available, within_s=5, what="the failure")
    wait_until(publisher.accepts, within_s=5, what="the next try")
    publisher.give(Wakeup(8, "sends"))
    wait_until(lambda: bool(fake.got), within_s=5, what="the wakeup")
    publisher.stop()

    assert [arguments for _, _, arguments, _ in fake.got] == [(8,)]
    assert publisher.available
