"""Proves the claim that nothing is lost: kill -9 at random moments while people write and are answered."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from scripts.sandbox.client import SandboxProcess
from tests.faults import checks, limits
from tests.faults.people import Requester
from tests.faults.processes import end
from tests.faults.stack import Desk, EmbeddedDesk, RealDesk
from tests.services.postgres import PostgresServer
from tests.services.pytest_evidence import Tell
from tests.services.rabbitmq import RabbitServer

pytestmark = pytest.mark.extended

# 500 events and 500 replies under 50 kills. The people are so many that Telegram's rate of one message a second and
# chat is no bound.
kills, people, rounds = 50, 100, 5
# Seconds between a desk that is up and the next kill: some kills hit a start, most hit work.
calm_s_max = 1.0


def test_the_embedded_desk_loses_nothing_under_fifty_kills(embedded_desk: EmbeddedDesk, tell: Tell) -> None:
    """Kills fall before COMMIT, between COMMIT and the answer, before or during the wakeup, and at
    any point of a task.
    """
    soak(embedded_desk, tell)


def test_the_real_desk_loses_nothing_under_fifty_kills(
    sandbox: SandboxProcess, durable_postgres: PostgresServer, rabbit_server: RabbitServer, tell: Tell
) -> None:
    """Kills end functions, workers and schedulers, while the broker redelivers wakeups or loses them."""
    vhost = rabbit_server.create_vhost()
    with RealDesk(sandbox, database_url=durable_postgres.create_database(), broker_url=vhost) as desk:
        soak(desk, tell)
    rabbit_server.delete_vhost(vhost)


class Killer:
    """Kills 50 times; its progress is the pace of the flow, so that all kills happen while messages flow."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk = desk
        self.done = 0
        self.what: Counter[str] = Counter()
        self._chance = chance
        self._last_at = time.monotonic()

    def progress(self) -> float:
        """From 0 to 1; moves between two kills too, so that the flow is even."""
        part = min(1.0, (time.monotonic() - self._last_at) / calm_s_max)
        return min(1.0, (self.done + part) / kills)

    def run(self) -> None:
        """Kill until the number is reached; raises AssertionError for a desk that does not come back."""
        while self.done < kills:
            if self._chance.random() < 0.8:  # else the kill may hit a process that is starting
                self.desk.wait_until_up()
            time.sleep(self._chance.uniform(0.02, calm_s_max))
            for _ in range(limits.kill_tries_max):
                victims = self.desk.victims()
                if victims:
                    break
                time.sleep(limits.poll_s)
            else:
                raise AssertionError(f"nothing to kill: the desk does not start; see {self.desk.logs}")
            _, name, processes = self._chance.choices(victims, [weight for weight, *_ in victims])[0]
            end(processes)
            self.what[name] += 1
            self.done += 1
            self._last_at = time.monotonic()


def soak(desk: Desk, tell: Tell) -> None:
    """Kill parts of a desk while people on both channels talk to it, and compare the end with an undisturbed run."""
    seed = int(os.environ.get("NESTOR_SOAK_SEED", random.SystemRandom().randrange(10**9)))
    tell(f"soak of {desk.stack}: NESTOR_SOAK_SEED={seed}")
    chance = random.Random(seed)
    requesters = [Requester(desk, "telegram" if n % 2 else "email") for n in range(people)]
    killer = Killer(desk, chance)
    moments = {id(r): sorted((n + chance.random()) / rounds for n in range(rounds)) for r in requesters}
    given_up = threading.Event()

    def talk(requester: Requester) -> None:
        for moment in moments[id(requester)]:
            while killer.progress() < moment * 0.98 and not given_up.is_set():
                time.sleep(limits.poll_s)
            requester.write()
            requester.be_answered()

    started = time.monotonic()
    with desk.watched():
        with ThreadPoolExecutor(people + 1) as pool:
            killing = pool.submit(killer.run)
            killing.add_done_callback(lambda _: given_up.set())
            talks = [pool.submit(talk, requester) for requester in requesters]
            killing.result()
            for one in talks:
                one.result()
        flowed_s = time.monotonic() - started
        desk.wait_until_up()
        drained_s = desk.wait_until_drained()

    checks.each_event_made_one_message(desk, requesters)
    travelled = checks.each_reply_arrived_once_in_order(desk, requesters)
    checks.the_desk_is_at_rest(desk)
    assert set(desk.seen) <= {0, 200, 201, 503}, f"clients saw {dict(desk.seen)}"
    events = sum(len(r.sent) for r in requesters)
    assert (events, travelled.sent, killer.done) == (people * rounds, people * rounds, kills)
    tell(
        f"soak of {desk.stack}: {killer.done} kills, {events} events, {travelled.sent} replies,"
        f" {travelled.unknown} unknown"
        f" ({travelled.doubled} arrived twice, {travelled.missing} did not arrive); flowed {flowed_s:.0f} s,"
        f" drained {drained_s:.1f} s after the last; clients saw {dict(sorted(desk.seen.items()))}"
    )
    tell("killed: " + ", ".join(f"{name} {count}x" for name, count in sorted(killer.what.items())))
